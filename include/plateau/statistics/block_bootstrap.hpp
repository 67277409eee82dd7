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

namespace plateau::statistics {

/// A block length for n values in a chain: 1.5 n^(1/3), at least 5, at most n.
inline index default_block(index n) {
    return std::min(n, std::max(index{5}, static_cast<index>(std::lround(1.5 * std::cbrt(static_cast<double>(n))))));
}

/// Moving-block bootstrap: a resample is blocks of `block` neighbouring values, each beginning at any of n − block + 1
/// places, put together to n values. Pairs (i, i + 1) of consecutive prompts share a prompt with each neighbour: for them
/// block >= 5. block = 1 is the bootstrap of independent values, whose intervals of a chain are too narrow.
/// @param values  [n] in the order of the chain, elements of any type (pairs of numbers for a correlation); keep degenerate
///                ones in their place, as NaN      @param block  1 <= block <= n
/// @param statistic  double(std::span<V const>), e.g. `mean`, `median`
/// @throws shape_error if n = 0; usage_error on another block, and those of require_options
/// @see Künsch 1989, "The jackknife and the bootstrap for general stationary observations"
template <class V, class Statistic>
estimate block_bootstrap(std::span<V const> values, index block, Statistic const& statistic, bootstrap_options const& options = {}) {
    auto const n = static_cast<index>(values.size());
    if (n == 0) throw shape_error("a bootstrap needs at least one value");
    if (block < 1 || block > n) throw usage_error{"a block of ", n, " values has 1 to ", n, " of them, not ", block};
    require_options(options);
    counter_rng rng{options.seed};
    std::vector<V> drawn(values.size());
    std::vector<double> replicates;
    for (index r = 0; r < options.resamples; ++r) {
        for (std::size_t at = 0; at < drawn.size();) {
            auto const from = static_cast<std::size_t>(rng.below(static_cast<std::uint64_t>(n - block + 1)));
            auto const count = std::min(static_cast<std::size_t>(block), drawn.size() - at);
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(from), count, drawn.begin() + static_cast<std::ptrdiff_t>(at));
            at += count;
        }
        replicates.push_back(statistic(std::span<V const>{drawn}));
    }
    return percentile_estimate(statistic(values), replicates, options.level);
}

}  // namespace plateau::statistics
