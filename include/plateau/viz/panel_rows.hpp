#pragma once
/// Where equal panels stand in a picture.

#include <algorithm>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// Panels row by row, `across` beside each other, each with room around it for its axes. Logical pixels.
struct panel_rows {
    index count = 1;
    index across = 1;
    double width = 0, height = 0;  ///< of one panel
    double left = 62, above = 30, right = 24, below = 52;
    double head = 66;  ///< above the first row
    double side = 0;   ///< right of them all
    double least = 0;  ///< width of the picture, at least

    index beside() const { return std::min(count, across); }
    double total_width() const {
        return std::max(least, static_cast<double>(beside()) * (left + width + right) + side);
    }
    double total_height() const {
        return head + static_cast<double>((count + across - 1) / across) * (above + height + below) + 6;
    }
    rectangle operator[](index i) const {
        return {left + static_cast<double>(i % across) * (left + width + right),
                head + above + static_cast<double>(i / across) * (above + height + below), width, height};
    }
};

}  // namespace plateau::viz
