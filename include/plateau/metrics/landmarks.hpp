#pragma once
/// Landmarks of curves along a path: ridges, extremes, fastest steps, switches.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

struct landmark {
    double place = std::numeric_limits<double>::quiet_NaN();   ///< α; NaN where there is none
    double height = std::numeric_limits<double>::quiet_NaN();  ///< in the unit of the curve
};

/// @throws shape_error of fewer than two points
inline void require_points(std::span<double const> curve) {
    if (curve.size() < 2) throw shape_error("a landmark needs a curve of at least 2 points, got ", curve.size());
}

namespace detail {

/// The top of the parabola through three values at even places, `spacing` apart. @param y0  none smaller than the
/// others
inline landmark top_of(double before, double y0, double after, double place, double spacing) {
    double const bend = before - 2 * y0 + after;
    double const off = bend < 0 ? (before - after) / (2 * bend) : 0;
    return {place + off * spacing, y0 - off * (before - after) / 4};
}

/// The largest of some values at even places, made finer where it lies between two others; none of equal values.
inline landmark largest_of(std::span<double const> values, double first, double spacing) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) return {};
        if (values[i] > values[best]) best = i;
    }
    double const place = first + static_cast<double>(best) * spacing;
    bool const inner = best > 0 && best + 1 < values.size() && std::isfinite(values[best - 1] + values[best + 1]);
    return inner ? top_of(values[best - 1], values[best], values[best + 1], place, spacing)
                 : landmark{place, values[best]};
}

}  // namespace detail

/// Where a curve is highest above the line between its ends, and by how much; none where it is nowhere above. Between
/// points by the parabola through the highest one and its neighbours, here as below.
/// @param curve  [S] at even places from 0 to 1, S >= 2      @return none for a curve with a NaN
/// @throws shape_error if S < 2
inline landmark ridge_of(std::span<double const> curve) {
    require_points(curve);
    std::vector<double> above;
    double const last = static_cast<double>(curve.size() - 1);
    for (std::size_t i = 0; i < curve.size(); ++i) {
        double const t = static_cast<double>(i) / last;
        above.push_back(curve[i] - ((1 - t) * curve.front() + t * curve.back()));
    }
    auto const top = detail::largest_of(above, 0, 1 / last);
    return top.height > 0 ? top : landmark{};
}

/// Where a curve is largest; none where an end is. Parameters, exceptions and NaN as ridge_of.
inline landmark inner_maximum(std::span<double const> curve) {
    require_points(curve);
    double const highest = *std::max_element(curve.begin(), curve.end());
    if (highest <= curve.front() || highest <= curve.back()) return {};
    return detail::largest_of(curve, 0, 1 / static_cast<double>(curve.size() - 1));
}

/// The middle of the interval over which a curve changes most, and by how much; none for a constant curve. As ridge_of.
inline landmark fastest_step(std::span<double const> curve) {
    require_points(curve);
    std::vector<double> steps;
    for (std::size_t i = 1; i < curve.size(); ++i) steps.push_back(std::abs(curve[i] - curve[i - 1]));
    double const spacing = 1 / static_cast<double>(steps.size());
    auto const top = detail::largest_of(steps, spacing / 2, spacing);
    return top.height > 0 ? top : landmark{};
}

}  // namespace plateau::metrics
