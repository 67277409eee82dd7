#pragma once
/// Uncertainty of a statistic over pairs of prompts, whatever prompts they share.

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/statistics/prompt_draws.hpp>

namespace plateau::statistics {

/// Pigeonhole bootstrap: a resample draws the N prompts with replacement, and a pair (i, j) comes as often as its
/// prompts together, w_i · w_j times. For all-pairs designs, chains, and anything between.
/// @param values  [P]      @param pairs  [P] prompts of each pair, in [0, N)      @param prompts  N
/// @param statistic  double(values, weights), as `mean` and `median` are, or double(std::span<V const>), which gets the
///                   resample's values written out
/// @throws shape_error on unequal lengths or P = 0; domain_error on a prompt outside of [0, N); usage_error of
///         require_options
/// @post a resample without any pair (few prompts, few pairs) is drawn again
/// @see Owen 2007, "The pigeonhole bootstrap": at worst wider than needed, by the part of the variance that
///      belongs to pairs. Of a chain u_i + u_{i+1} it doubles the variance: there `block_bootstrap` is the sharper one
template <class V, class Statistic>
estimate prompt_bootstrap(std::span<V const> values, std::span<std::array<index, 2> const> pairs, index prompts,
                          Statistic const& statistic, bootstrap_options const& options = {}) {
    constexpr bool weighted = std::is_invocable_v<Statistic const&, std::span<V const>, std::span<double const>>;
    if (values.size() != pairs.size() || values.empty()) {
        throw shape_error("a prompt bootstrap needs a value per pair, got ", values.size(), " for ", pairs.size());
    }
    prompt_draws draws{pairs, prompts, options};
    std::vector<double> weights(values.size()), replicates;
    std::vector<V> drawn;
    for (index r = 0; r < options.resamples; ++r) {
        auto const often = draws.next();
        for (std::size_t p = 0; p < pairs.size(); ++p) weights[p] = prompt_draws::weight(often, pairs[p]);
        if constexpr (weighted) {
            replicates.push_back(statistic(values, std::span<double const>{weights}));
        } else {
            drawn.clear();
            for (std::size_t p = 0; p < values.size(); ++p)
                drawn.insert(drawn.end(), static_cast<std::size_t>(weights[p]), values[p]);
            replicates.push_back(statistic(std::span<V const>{drawn}));
        }
    }
    return percentile_estimate(statistic(values), replicates, options.level);
}

}  // namespace plateau::statistics
