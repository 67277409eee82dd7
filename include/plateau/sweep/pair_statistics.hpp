#pragma once
/// Statistics of prompt pairs with intervals: rank correlation of two numbers, and paired differences.

#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <vector>

#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/value_pairs.hpp>
#include <plateau/sweep/pair_design.hpp>

namespace plateau::sweep {

/// Spearman's ρ of the pairs that have both numbers.
struct pair_correlation {
    statistics::estimate rho{};
    index known = 0;  ///< pairs that have both
};

/// @param x,y  [P], NaN where a pair has none: it keeps its place among its neighbours
inline pair_correlation correlation_of(pair_design const& design, std::vector<double> const& x,
                                       std::vector<double> const& y) {
    using statistics::value_pair;
    std::vector<value_pair> points;
    for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y[i]});
    auto const known = [](std::span<value_pair const> some) {
        std::vector<value_pair> kept;
        std::ranges::copy_if(some, std::back_inserter(kept),
                             [](value_pair const& one) { return !std::isnan(one[0]) && !std::isnan(one[1]); });
        return kept;
    };
    auto const rho = [&](std::span<value_pair const> drawn) { return statistics::spearman(known(drawn)); };
    return {design.interval(std::span<value_pair const>{points}, rho), static_cast<index>(known(points).size())};
}

/// How x differs from y, pair by pair; all NaN where fewer than two have both.
struct paired_difference {
    statistics::estimate median;        ///< of x − y
    statistics::estimate cliffs_delta;  ///< P(x > y) − P(x < y), in [−1, 1]
    double p;                           ///< of the mean, by flipped signs, two-sided
};

/// @param x,y  [P], NaN where a pair has none: it is left out
inline paired_difference difference_of(pair_design const& design, std::vector<double> const& x,
                                       std::vector<double> const& y) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    auto const pairs = statistics::known_pairs(x, y);
    if (pairs.size() < 2) return {{nan, nan, nan, nan}, {nan, nan, nan, nan}, nan};
    auto const differences = statistics::differences_of(pairs);
    return {design.median(differences),
            design.interval(std::span<statistics::value_pair const>{pairs},
                            statistics::of_columns(statistics::cliffs_delta)),
            statistics::sign_flip_test(differences, 1, statistics::mean, {.seed = design.resampling.seed}).p};
}

}  // namespace plateau::sweep
