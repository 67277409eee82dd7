#pragma once
/// The steepest step of a curve beside its first ones.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::metrics {

/// max_i Δ_i / mean(Δ_0 … Δ_{k−1}),   Δ_i = d[i+1] − d[i]: about 1 on a straight curve; below 1.5 a pair was taken to
/// lie within one region.
/// @param curve  [S] distances, S >= 2      @param first  k >= 1, published 10; all steps if there are fewer
/// @return NaN if a step is, or if the first ones sum to nothing      @throws shape_error if S < 2 or k < 1
/// @see Janiak et al. 2024, code (Lipschitz ratio against ‖A − B‖)
inline double lipschitz_ratio(std::span<double const> curve, index first = 10) {
    if (curve.size() < 2 || first < 1) {
        throw shape_error("a Lipschitz ratio needs at least 2 points and 1 first step, got ", curve.size(), " and ",
                          first);
    }
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
        if (std::isnan(curve[i + 1] - curve[i])) return std::numeric_limits<double>::quiet_NaN();
        largest = std::max(largest, curve[i + 1] - curve[i]);
    }
    auto const count = std::min(static_cast<std::size_t>(first), curve.size() - 1);
    double const mean = (curve[count] - curve[0]) / static_cast<double>(count);
    return mean == 0 ? std::numeric_limits<double>::quiet_NaN() : largest / mean;
}

}  // namespace plateau::metrics
