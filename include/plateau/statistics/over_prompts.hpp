#pragma once
/// Intervals of statistics over independent prompts.

#include <limits>
#include <ranges>
#include <span>

#include <plateau/statistics/block_bootstrap.hpp>

namespace plateau::statistics {

/// A statistic of one value a prompt, with its interval: prompts are drawn again, one by one. No interval of fewer than
/// two prompts: NaN.
/// @param values  [N], contiguous, V of any type      @param statistic  double(std::span<V const>), e.g. `mean`
/// @throws usage_error as require_options
template <class Values, class Statistic>
estimate over_prompts(Values const& values, Statistic const& statistic, bootstrap_options const& resampling) {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    std::span<std::ranges::range_value_t<Values> const> const all{values};
    if (all.size() < 2) return {statistic(all), nan, nan, nan};
    return block_bootstrap(all, 1, statistic, resampling);
}

}  // namespace plateau::statistics
