#pragma once
/// Uncertainty of a statistic of a chain, whose neighbours are dependent.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/statistics/normal_quantile.hpp>

namespace plateau::statistics {

/// A block length for n values in a chain: 1.5 n^(1/3), at least 5, at most half of them (1 for n < 4).
inline index default_block(index n) {
    auto const wanted = std::max(index{5}, static_cast<index>(std::lround(1.5 * std::cbrt(static_cast<double>(n)))));
    return std::max(index{1}, std::min(n / 2, wanted));
}

/// How much wider an interval of few blocks has to be: √(n / (n − b)), since blocks vary about their own mean, times
/// t_ν / z at the level, ν = 3n / (2b) − 1 the degrees of freedom of overlapping blocks (t by its expansion in 1 / ν).
/// @see Künsch 1989; Abramowitz & Stegun 26.7.5. Without it intervals of 300 chained pairs cover 93 % instead of 94 %
inline double few_blocks_factor(index n, index block, double level) {
    double const count = static_cast<double>(n), freedom = 1.5 * count / static_cast<double>(block) - 1;
    double const z = normal_quantile((1 + level) / 2), z2 = z * z;
    double const t_over_z = 1 + (z2 + 1) / (4 * freedom) + (5 * z2 * z2 + 16 * z2 + 3) / (96 * freedom * freedom);
    return std::sqrt(count / (count - static_cast<double>(block))) * t_over_z;
}

/// Moving-block bootstrap: a resample is blocks of `block` neighbouring values, each beginning at any of n − block + 1
/// places, put together to n values. Pairs (i, i + 1) of consecutive prompts share a prompt with each neighbour: for
/// them block >= 5. block = 1 is the bootstrap of independent values, whose intervals of a chain are too narrow.
/// The interval is that of the percentiles, widened about the value by `few_blocks_factor`.
/// @param values  [n] in the order of the chain, elements of any type (pairs of numbers for a correlation); keep
///                degenerate ones in their place, as NaN      @param block  1 <= block <= n / 2
/// @param statistic  double(std::span<V const>), e.g. `mean`, `median`
/// @throws shape_error if n < 2; usage_error on another block, and those of require_options
/// @see Künsch 1989, "The jackknife and the bootstrap for general stationary observations"
template <class V, class Statistic>
estimate block_bootstrap(std::span<V const> values, index block, Statistic const& statistic,
                         bootstrap_options const& options = {}) {
    auto const n = static_cast<index>(values.size());
    if (n < 2) throw shape_error("a bootstrap needs at least 2 values, got ", n);
    if (block < 1 || block > n / 2)
        throw usage_error("a block of a chain of ", n, " has 1 to ", n / 2, " values, not ", block);
    require_options(options);
    counter_rng rng{options.seed};
    std::vector<V> drawn(values.size());
    std::vector<double> replicates;
    for (index r = 0; r < options.resamples; ++r) {
        for (std::size_t at = 0; at < drawn.size();) {
            auto const from = static_cast<std::size_t>(rng.below(static_cast<std::uint64_t>(n - block + 1)));
            auto const count = std::min(static_cast<std::size_t>(block), drawn.size() - at);
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(from), count,
                        drawn.begin() + static_cast<std::ptrdiff_t>(at));
            at += count;
        }
        replicates.push_back(statistic(std::span<V const>{drawn}));
    }
    auto found = percentile_estimate(statistic(values), replicates, options.level);
    double const factor = few_blocks_factor(n, block, options.level);
    found.low = found.value + factor * (found.low - found.value);
    found.high = found.value + factor * (found.high - found.value);
    return found;
}

}  // namespace plateau::statistics
