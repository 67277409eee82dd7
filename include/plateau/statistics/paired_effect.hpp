#pragma once
/// Paired effects: how far the same prompts differ under two conditions, by several sizes of effect and a test.

#include <optional>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/over_prompts.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/statistics/value_pairs.hpp>

namespace plateau::statistics {

/// x against y, with intervals of bootstraps over prompts.
struct paired_effect {
    estimate difference;    ///< mean of x − y
    estimate cliffs_delta;  ///< P(x > y) − P(x < y)
    estimate cohens_d;      ///< difference of means in standard deviations
    double p;               ///< of the mean difference, by flipped signs
};

/// The effect over prompts of which both values are known; nothing if those are fewer than two.
/// @param x,y  [N], prompt by prompt, NaN for a missing value      @param resampling  its seed is the test's too
/// @throws shape_error on unequal lengths
inline std::optional<paired_effect> paired_effect_of(std::span<double const> x, std::span<double const> y,
                                                     bootstrap_options const& resampling = {}) {
    if (x.size() != y.size())
        throw shape_error("pairs need two samples of one length, got ", x.size(), " and ", y.size());
    auto const both = known_pairs(x, y);
    if (both.size() < 2) return std::nullopt;
    auto const difference = differences_of(both);
    return paired_effect{over_prompts(difference, mean, resampling),
                         over_prompts(both, of_columns(statistics::cliffs_delta), resampling),
                         over_prompts(both, of_columns(statistics::cohens_d), resampling),
                         sign_flip_test(difference, 1, mean, {.seed = resampling.seed}).p};
}

}  // namespace plateau::statistics
