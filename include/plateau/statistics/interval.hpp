#pragma once
/// A number with its uncertainty.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/statistics/quantile.hpp>

namespace plateau::statistics {

struct estimate {
    double value;           ///< the statistic of the sample
    double low, high;       ///< interval, at the level that was asked for
    double standard_error;  ///< standard deviation over resamples
};

struct bootstrap_options {
    index resamples = 2000;
    double level = 0.95;     ///< share of repetitions that the interval is to cover
    std::uint64_t seed = 1;  ///< resamples are a function of it
};

/// @throws usage_error unless resamples >= 1 and 0 < level < 1
inline void require_options(bootstrap_options const& options) {
    if (options.resamples < 1 || !(options.level > 0 && options.level < 1)) {
        throw usage_error("a bootstrap needs at least 1 resample and a level in (0, 1), got ", options.resamples,
                          " and ", std::to_string(options.level));
    }
}

/// The percentile interval: from the replicate of rank (R + 1)(1 − level) / 2 to that of rank (R + 1)(1 + level) / 2,
/// linear between ranks. (Quantiles as numpy defines them would leave out more than 1 − level, by 2 / R of it in all.)
/// @param replicates  [R], sorted in place      @post all but the value NaN if a replicate is
/// @see Davison & Hinkley 1997, section 5.2
inline estimate percentile_estimate(double value, std::vector<double>& replicates, double level) {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    double sum = 0, squares = 0;
    for (double x : replicates) sum += x;
    double const middle = sum / static_cast<double>(replicates.size());
    if (std::isnan(middle)) return {value, nan, nan, nan};
    for (double x : replicates) squares += (x - middle) * (x - middle);
    std::sort(replicates.begin(), replicates.end());
    double const count = static_cast<double>(replicates.size());
    auto const at = [&](double p) {
        return quantile(replicates, count > 1 ? std::clamp(((count + 1) * p - 1) / (count - 1), 0.0, 1.0) : 0);
    };
    return {value, at((1 - level) / 2), at((1 + level) / 2),
            replicates.size() > 1 ? std::sqrt(squares / static_cast<double>(replicates.size() - 1)) : nan};
}

}  // namespace plateau::statistics
