#pragma once
/// How many stable regions there are, from how often two prompts lie in the same one.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/core/types.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/statistics/normal_quantile.hpp>

namespace plateau::statistics {

/// A share of n trials with Wilson's score interval, n any number above 0: of dependent trials the number of
/// independent ones that would be as uncertain, share (1 − share) / standard error².
/// @pre 0 <= share <= 1      @throws domain_error unless n > 0 and 0 < level < 1
/// @see Wilson 1927; Korn & Graubard 1998 for n (who put it into the interval of Clopper and Pearson)
inline estimate wilson_estimate(double share, double n, double level = 0.95) {
    if (!(n > 0)) throw domain_error("a share is of more than 0 trials, got ", std::to_string(n));
    if (!(level > 0 && level < 1)) throw domain_error("a level is in (0, 1), got ", std::to_string(level));
    double const z = normal_quantile((1 + level) / 2), scale = 1 + z * z / n;
    double const middle = (share + z * z / (2 * n)) / scale;
    double const half = z / scale * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return {share, share == 0 ? 0 : middle - half, share == 1 ? 1 : middle + half, std::sqrt(share * (1 - share) / n)};
}

/// A share k / n with Wilson's score interval, for independent trials; pairs that share prompts are dependent:
/// `prompt_bootstrap` of the indicator (1 same, 0 not) takes its place, and a chain's is `block_bootstrap`.
/// @throws domain_error unless 0 <= k <= n, n >= 1 and 0 < level < 1
/// @see Wilson 1927; scipy.stats.binomtest(...).proportion_ci(method="wilson")
inline estimate wilson_share(index k, index n, double level = 0.95) {
    if (n < 1 || k < 0 || k > n) throw domain_error("a share needs 0 <= k <= n and n >= 1, got ", k, " of ", n);
    return wilson_estimate(static_cast<double>(k) / static_cast<double>(n), static_cast<double>(n), level);
}

/// P(two different prompts lie in the same region) = Σ_r c_r (c_r − 1) / (N (N − 1)), without bias, c_r the prompts of
/// region r. @param regions  [N] region number of each prompt, N >= 2      @throws shape_error if N < 2
/// @see Simpson 1949, "Measurement of diversity"
inline double same_region_probability(std::span<index const> regions) {
    if (regions.size() < 2) throw shape_error("a pair needs two prompts, got ", regions.size());
    std::vector<index> sorted(regions.begin(), regions.end());
    std::sort(sorted.begin(), sorted.end());
    double same = 0, run = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 0;
        same += run;  // pairs with an earlier prompt
    }
    double const n = static_cast<double>(sorted.size());
    return same / (n * (n - 1) / 2);
}

/// The same with its interval, by the pigeonhole bootstrap of the prompts: what `prompt_bootstrap` gives for the
/// indicator (1 same, 0 not) of all pairs i < j, bit for bit up to the order of sums, in O(N) a resample instead of
/// O(N²).
/// @throws shape_error if N < 2; those of require_options
inline estimate same_region_estimate(std::span<index const> regions, bootstrap_options const& options = {}) {
    double const value = same_region_probability(regions);
    require_options(options);
    std::vector<index> names(regions.begin(), regions.end());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<std::size_t> region;
    for (index const r : regions)
        region.push_back(static_cast<std::size_t>(std::lower_bound(names.begin(), names.end(), r) - names.begin()));
    counter_rng rng{options.seed};
    double const n = static_cast<double>(regions.size());
    std::vector<double> often(regions.size()), of_region(names.size()), replicates;
    while (static_cast<index>(replicates.size()) < options.resamples) {
        std::fill(often.begin(), often.end(), 0.0);
        std::fill(of_region.begin(), of_region.end(), 0.0);
        for (std::size_t k = 0; k < often.size(); ++k) ++often[rng.below(often.size())];
        double own = 0, together = 0;  // ordered pairs of a prompt with itself, and of those that share a region
        for (std::size_t i = 0; i < often.size(); ++i) {
            own += often[i] * often[i];
            of_region[region[i]] += often[i];
        }
        for (double const count : of_region) together += count * count;
        if (n * n > own)
            replicates.push_back((together - own) / (n * n - own));  // else one prompt alone was drawn: again
    }
    return percentile_estimate(value, replicates, options.level);
}

/// The number of regions n from P(same). A random pair meets large regions more often than small ones: if region sizes
/// are negative binomial (gamma) of shape r, P = (1 + 1/r) / n, so that
///     n = (1 + 1/r) / P
/// r = ∞, equal sizes, gives the effective count 1 / P, the least that P allows. The published script has r = 2, and
/// weighs by regions instead of by prompts. For n of a few the correction is too large by (1 + 1/r) / n of it.
/// @param same  P with its interval, of `wilson_share` or a bootstrap      @param shape  r > 0, infinity allowed
/// @return n with its interval, ends swapped; ∞ where P is 0; the standard error is that of the delta method
/// @throws domain_error unless r > 0
inline estimate region_count(estimate const& same, double shape) {
    if (!(shape > 0)) throw domain_error("the shape of region sizes is above 0, got ", std::to_string(shape));
    double const factor = 1 + 1 / shape;
    auto const count = [&](double p) {
        return p > 0 ? factor / p : p == 0 ? std::numeric_limits<double>::infinity() : p;
    };
    return {count(same.value), count(same.high), count(same.low),
            count(same.value) * (same.standard_error / same.value)};
}

}  // namespace plateau::statistics
