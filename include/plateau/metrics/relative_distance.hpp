#pragma once
/// Curves of output change, normalised. Two different metrics of the field, two names.

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// Janiak's relative output change r(α) = d(α) / d(1), with d(α) the distance of the read-out to that at α = 0.
/// A pair is degenerate if d(1) <= min_d1, or is no finite number: then every value is NaN.
/// @param distances  [S] d at S >= 1 points, the last at α = 1      @param min_d1  same unit as d
/// @post r(1) = 1 exactly unless degenerate
/// @see Janiak et al. 2024, arXiv 2409.17113, section 2
inline std::vector<double> relative_distance(std::span<double const> distances, double min_d1 = 0) {
    if (distances.empty()) throw shape_error("relative_distance needs at least one point");
    double const end = distances.back();
    bool const degenerate = !(end > min_d1) || std::isinf(end);
    std::vector<double> relative(distances.size());
    for (std::size_t i = 0; i < distances.size(); ++i) {
        relative[i] = degenerate ? std::numeric_limits<double>::quiet_NaN() : distances[i] / end;
    }
    return relative;
}

/// Shinkle's share d_A(α) / (d_A(α) + d_B(α)): 0 at the read-out of A, 1 at that of B.
/// @param to_a,to_b  [S] distances of the read-out to those at both ends
/// @post NaN where both distances are zero
/// @throws shape_error on unequal lengths
/// @see Shinkle & Heimersheim 2025
inline std::vector<double> endpoint_share(std::span<double const> to_a, std::span<double const> to_b) {
    if (to_a.size() != to_b.size()) {
        throw shape_error("endpoint_share needs equal lengths, got ", to_a.size(), " and ", to_b.size());
    }
    std::vector<double> share(to_a.size());
    for (std::size_t i = 0; i < to_a.size(); ++i) {
        double const sum = to_a[i] + to_b[i];
        share[i] = sum > 0 ? to_a[i] / sum : std::numeric_limits<double>::quiet_NaN();
    }
    return share;
}

}  // namespace plateau::metrics
