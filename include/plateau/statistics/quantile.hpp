#pragma once
/// Quantiles of samples, as numpy defines them by default.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::statistics {

/// Quantile q of ascending values by linear interpolation between the two nearest order statistics:
///     h = q (n - 1),   x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h])
/// @param sorted  [n] ascending, no NaN       @param q  in [0, 1]
/// @return NaN if n = 0       @throws domain_error on another q
/// @see Hyndman & Fan 1996, type 7; numpy.quantile's default
inline double quantile(std::span<double const> sorted, double q) {
    if (!(q >= 0 && q <= 1)) throw domain_error("a quantile needs a fraction in [0, 1], got ", std::to_string(q));
    if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
    double const h = q * static_cast<double>(sorted.size() - 1);
    auto const low = static_cast<std::size_t>(h);
    auto const high = std::min(low + 1, sorted.size() - 1);
    double const fraction = h - static_cast<double>(low);
    double const step = sorted[high] - sorted[low];
    // numpy interpolates from the nearer end, so that q and 1 - q mirror each other
    return fraction < 0.5 ? sorted[low] + step * fraction : sorted[high] - step * (1 - fraction);
}

/// Median and quartiles of the values that are numbers.
struct quartiles {
    double q25;
    double median;
    double q75;
    index count;  ///< values that are not NaN
};

/// @param values  [n], NaN marks a missing value; all three are NaN if nothing remains
inline quartiles quartiles_of(std::span<double const> values) {
    std::vector<double> sorted;
    sorted.reserve(values.size());
    for (double value : values) {
        if (!std::isnan(value)) sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    return {quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75), static_cast<index>(sorted.size())};
}

}  // namespace plateau::statistics
