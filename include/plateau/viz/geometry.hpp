#pragma once
/// Places on a picture and intervals of data.

namespace plateau::viz {

/// A place in logical pixels, x to the right and y down.
struct point {
    double x = 0;
    double y = 0;
};

/// An axis-parallel rectangle in logical pixels.
struct rectangle {
    double left = 0;
    double top = 0;
    double width = 0;
    double height = 0;

    constexpr double right() const { return left + width; }
    constexpr double bottom() const { return top + height; }
};

/// A closed interval of data values.
struct interval {
    double low = 0;
    double high = 1;

    constexpr double length() const { return high - low; }
    constexpr bool contains(double value) const { return low <= value && value <= high; }
};

}  // namespace plateau::viz
