#pragma once
/// Permutation tests of whether two quantities of the same items have to do with each other, alone and in quantities.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/value_pairs.hpp>

namespace plateau::statistics {

/// Tests of H quantities beside one, with p values that hold for the whole family: under the null hypothesis any of
/// them is <= a with probability a at most. The items of x are permuted for all quantities at once, which keeps how
/// these depend on each other, and each |s_h| is compared with the largest |s| of a permutation over the family:
///     p_h = (1 + #{permutations with max_g |s_g| >= |s_h|}) / (1 + permutations),   two-sided, never 0
/// A quantity whose statistic is NaN (a constant one) has p = NaN and is no member of the family.
/// @param x  [n], exchangeable under the null hypothesis      @param quantities  H lists y_h, [n] each
/// @param statistic  double(std::span<value_pair const>) of the pairs (x_i, y_i), e.g. `pearson`, which of `ranks_of`
///                   is Spearman's ρ without new ranks each time; a permutation without a number (NaN) counts as at
///                   least as large      @return [H]
/// @throws shape_error if n or H is 0 or lengths differ; usage_error if permutations < 1
/// @see Westfall & Young 1993, "Resampling-based multiple testing", single-step maxT
template <class Statistic>
std::vector<permutation_result> family_wise_associations(std::span<double const> x,
                                                         std::span<std::vector<double> const> quantities,
                                                         Statistic const& statistic,
                                                         permutation_options const& options = {}) {
    if (x.empty() || quantities.empty()) throw shape_error("a test of association needs items and quantities of them");
    if (options.permutations < 1)
        throw usage_error("a permutation test needs permutations, got ", options.permutations);
    for (auto const& y : quantities) {
        if (y.size() != x.size())
            throw shape_error("a test of association needs pairs, got ", x.size(), " and ", y.size(), " values");
    }
    std::vector<double> permuted(x.begin(), x.end());
    std::vector<value_pair> pairs(x.size());
    auto const statistic_of = [&](std::vector<double> const& y) {
        for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {permuted[i], y[i]};
        return statistic(std::span<value_pair const>{pairs});
    };
    std::vector<permutation_result> found;
    for (auto const& y : quantities) found.push_back({statistic_of(y), 1});  // p as a count, at first
    counter_rng rng{options.seed};
    for (index i = 0; i < options.permutations; ++i) {
        shuffle(std::span{permuted}, rng);
        double largest = 0;
        for (std::size_t h = 0; h < quantities.size(); ++h) {
            if (std::isnan(found[h].statistic)) continue;
            double const size = std::abs(statistic_of(quantities[h]));
            largest = std::max(largest, std::isnan(size) ? std::numeric_limits<double>::infinity() : size);
        }
        for (auto& [observed, at_least] : found) at_least += largest >= std::abs(observed) * (1 - 1e-12);
    }
    for (auto& [observed, p] : found) {
        p = std::isnan(observed) ? observed : p / static_cast<double>(options.permutations + 1);
    }
    return found;
}

/// Whether x and y have to do with each other: the items of one are permuted against those of the other.
/// @param x,y  [n]      @param statistic  as there
/// @throws as there; numeric_error if the statistic is NaN
template <class Statistic>
permutation_result permuted_association(std::span<double const> x, std::span<double const> y,
                                        Statistic const& statistic, permutation_options const& options = {}) {
    std::vector<double> const alone[1]{{y.begin(), y.end()}};
    auto const found = family_wise_associations(x, alone, statistic, options).front();
    if (std::isnan(found.statistic)) throw numeric_error("the statistic of a permutation test is NaN");
    return found;
}

}  // namespace plateau::statistics
