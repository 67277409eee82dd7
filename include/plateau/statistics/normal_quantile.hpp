#pragma once
/// Quantiles of the standard normal distribution.

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include <plateau/core/error.hpp>

namespace plateau::statistics {

/// z with Φ(z) = p: bisection of erfc, then Newton; to a few units in the last place. ∓∞ at 0 and 1.
/// @throws domain_error unless p ∈ [0, 1]
inline double normal_quantile(double p) {
    if (!(p >= 0 && p <= 1)) throw domain_error("a probability is in [0, 1], got ", std::to_string(p));
    if (p > 0.5) return -normal_quantile(1 - p);
    if (p == 0) return -std::numeric_limits<double>::infinity();
    auto const excess = [&](double z) { return std::erfc(-z / std::numbers::sqrt2) / 2 - p; };
    double low = -39, high = 0;
    for (int i = 0; i < 50; ++i) {
        double const middle = (low + high) / 2;
        (excess(middle) < 0 ? low : high) = middle;
    }
    double const z = (low + high) / 2;
    double const density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    return density > 0 ? z - excess(z) / density : z;
}

}  // namespace plateau::statistics
