#pragma once
/// The difference of two tokens' logits along a path.

#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// 1 − (Δ(α) − Δ(1)) / (Δ(0) − Δ(1)),   Δ(α) = logit[top of A] − logit[top of B]: 0 at A, 1 at B.
/// @param of_a,of_b  [S] logits, along the path, of the likeliest tokens of both clean runs; S >= 2
/// @post all NaN if Δ(0) = Δ(1)      @throws shape_error on unequal lengths or S < 2
/// @see Janiak et al. 2024, figure 2c and code
inline std::vector<double> normalised_logit_difference(std::span<double const> of_a, std::span<double const> of_b) {
    if (of_a.size() != of_b.size() || of_a.size() < 2) {
        throw shape_error("a logit difference needs two curves of at least 2 points, got ", of_a.size(), " and ",
                          of_b.size());
    }
    double const at_start = of_a.front() - of_b.front(), at_end = of_a.back() - of_b.back();
    std::vector<double> result(of_a.size(), std::numeric_limits<double>::quiet_NaN());
    if (at_start == at_end) return result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = 1 - ((of_a[i] - of_b[i]) - at_end) / (at_start - at_end);
    }
    return result;
}

}  // namespace plateau::metrics
