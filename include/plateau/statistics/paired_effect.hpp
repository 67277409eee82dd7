#pragma once
/// Paired effects: how far the same prompts differ under two conditions, by several sizes of effect and a test.

#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/over_prompts.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/summaries.hpp>

namespace plateau::statistics {

/// x against y, with intervals of bootstraps over prompts.
struct paired_effect {
    estimate difference;    ///< mean of x − y
    estimate cliffs_delta;  ///< P(x > y) − P(x < y)
    estimate cohens_d;      ///< difference of means in standard deviations
    double p;               ///< of the mean difference, by flipped signs
};

namespace detail {

/// A statistic of two samples as one of pairs.
template <class Statistic>
auto of_columns(Statistic const& statistic) {
    return [&statistic](std::span<std::array<double, 2> const> pairs) {
        std::vector<double> x, y;
        for (auto const& pair : pairs) x.push_back(pair[0]), y.push_back(pair[1]);
        return statistic(x, y);
    };
}

}  // namespace detail

/// The effect over prompts of which both values are known; nothing if those are fewer than two.
/// @param x,y  [N], prompt by prompt, NaN for a missing value      @param resampling  its seed is the test's too
/// @throws shape_error on unequal lengths
inline std::optional<paired_effect> paired_effect_of(std::span<double const> x, std::span<double const> y,
                                                     bootstrap_options const& resampling = {}) {
    if (x.size() != y.size())
        throw shape_error("pairs need two samples of one length, got ", x.size(), " and ", y.size());
    std::vector<std::array<double, 2>> both;
    std::vector<double> difference;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isnan(x[i]) || std::isnan(y[i])) continue;
        both.push_back({x[i], y[i]});
        difference.push_back(x[i] - y[i]);
    }
    if (both.size() < 2) return std::nullopt;
    return paired_effect{over_prompts(difference, mean, resampling),
                         over_prompts(both, detail::of_columns(statistics::cliffs_delta), resampling),
                         over_prompts(both, detail::of_columns(statistics::cohens_d), resampling),
                         sign_flip_test(difference, 1, mean, {.seed = resampling.seed}).p};
}

}  // namespace plateau::statistics
