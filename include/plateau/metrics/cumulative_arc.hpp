#pragma once
/// The length that a read-out has travelled along a path.

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

/// ‖x_{i+1} − x_i‖ of consecutive points, [S − 1]. @param points  [S, D], S >= 1      @throws shape_error if S < 1
template <class T>
std::vector<double> step_lengths(tensor::view<T const, 2> points) {
    if (points.extent(0) < 1) throw shape_error("step_lengths needs at least one point");
    std::vector<double> steps;
    for (index i = 0; i + 1 < points.extent(0); ++i) {
        steps.push_back(l2_distance<T>(points[i].flat(), points[i + 1].flat()));
    }
    return steps;
}

/// Normalised arc length c_i = Σ_{j<i} s_j / Σ_j s_j, [S]: 0 at the first point, 1 at the last, never falling.
/// Compensated sums (Neumaier).
/// @param steps  [S − 1], from `step_lengths`, >= 1 of them      @post all NaN if the length is zero or not finite
/// @throws shape_error without steps      @see MARS V, cumulative arc
inline std::vector<double> cumulative_arc(std::span<double const> steps) {
    if (steps.empty()) throw shape_error("cumulative_arc needs at least one step");
    std::vector<double> arc(steps.size() + 1);
    double sum = 0, lost = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        double const next = sum + steps[i];
        lost += std::abs(sum) >= std::abs(steps[i]) ? (sum - next) + steps[i] : (steps[i] - next) + sum;
        sum = next;
        arc[i + 1] = sum + lost;
    }
    double const total = arc.back();
    bool const defined = total > 0 && !std::isinf(total);
    for (double& value : arc) value = defined ? value / total : std::numeric_limits<double>::quiet_NaN();
    return arc;
}

}  // namespace plateau::metrics
