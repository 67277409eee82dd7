#pragma once
/// A design of prompt pairs: who is paired with whom, what pairs share, and so how statistics of them get intervals.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/corpus/pairings.hpp>
#include <plateau/engine/prompt_pair.hpp>
#include <plateau/engine/prompts.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/prompt_bootstrap.hpp>
#include <plateau/statistics/region_count.hpp>
#include <plateau/statistics/summaries.hpp>

namespace plateau::sweep {

/// Which prompts are paired, and how the pairs depend on each other: that decides how intervals are made.
struct pair_design {
    enum class dependence {
        none,     ///< no prompt is in two pairs
        chain,    ///< each pair shares a prompt with its neighbours
        prompts,  ///< pairs share prompts as they will
    };
    std::vector<engine::prompt_pair> pairs;
    index prompts = 0;
    dependence shared = dependence::none;
    statistics::bootstrap_options resampling = {};

    index count() const { return static_cast<index>(pairs.size()); }

    std::vector<corpus::pair> numbers() const {
        std::vector<corpus::pair> all;
        for (auto const& pair : pairs) all.push_back({pair.from, pair.to});
        return all;
    }

    /// A statistic of the pairs with its 95 % interval: bootstrap of blocks of neighbours for a chain, of prompts where
    /// those are shared otherwise, of the pairs themselves where they are independent. No interval of fewer than two
    /// pairs: NaN.
    /// @param values  [P], in the order of the pairs
    template <class V, class Statistic>
    statistics::estimate interval(std::span<V const> values, Statistic const& statistic) const {
        double const nan = std::numeric_limits<double>::quiet_NaN();
        if (values.size() < 2) return {statistic(values), nan, nan, nan};
        if (shared == dependence::prompts) {
            auto const names = numbers();
            return statistics::prompt_bootstrap(values, std::span<corpus::pair const>{names}, prompts, statistic,
                                                resampling);
        }
        index const block = shared == dependence::chain ? statistics::default_block(count()) : 1;
        return statistics::block_bootstrap(values, block, statistic, resampling);
    }

    statistics::estimate median(std::vector<double> const& values) const {
        return interval(std::span<double const>{values}, statistics::median);
    }
    statistics::estimate mean(std::vector<double> const& values) const {
        return interval(std::span<double const>{values}, statistics::mean);
    }

    /// The share of ones among values that are 0, 1, or NaN for a missing one: with Wilson's interval where pairs are
    /// independent, and where all values are the same, since then no resample differs from another (of as many trials
    /// as there are pairs without a common prompt, N / 2 at most).
    statistics::estimate share(std::vector<double> const& values) const {
        auto found = mean(values);
        found.low = std::max(found.low, 0.0), found.high = std::min(found.high, 1.0);
        auto const known =
            static_cast<index>(std::count_if(values.begin(), values.end(), [](double x) { return !std::isnan(x); }));
        if (known == 0) return found;
        if (shared == dependence::none)
            return statistics::wilson_share(std::count(values.begin(), values.end(), 1.0), known);
        if (found.value > 0 && found.value < 1) return found;
        index const trials = std::min(known, std::max<index>(prompts / 2, 1));
        return statistics::wilson_share(found.value > 0 ? trials : 0, trials);
    }
};

/// Pairs given by number, of a file or made by a study. @param how  tells what they share
inline pair_design design_of(std::vector<corpus::pair> const& numbers, index prompts, pair_design::dependence how) {
    pair_design design{{}, prompts, how};
    for (auto const& [context, other] : numbers) design.pairs.push_back({context, other});
    if (design.pairs.empty()) throw usage_error("there is no pair: give at least two prompts");
    return design;
}

/// Every two of some prompts.
inline pair_design all_pairs_of(prompt_list const& prompts) {
    auto const count = static_cast<index>(prompts.size());
    return design_of(corpus::all_pairs(count), count, pair_design::dependence::prompts);
}

}  // namespace plateau::sweep
