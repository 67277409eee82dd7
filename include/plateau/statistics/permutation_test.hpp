#pragma once
/// Tests that need no distribution.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/core/types.hpp>
#include <plateau/statistics/summaries.hpp>

namespace plateau::statistics {

struct permutation_options {
    index permutations = 9999;
    std::uint64_t seed = 1;
};

struct permutation_result {
    double statistic;  ///< of the data as they are
    double p;          ///< (1 + permutations with |statistic| at least that) / (1 + permutations): two-sided, never 0
};

/// Whether two samples differ: labels are shuffled, the statistic is statistic(x) − statistic(y).
/// @param x,y  not empty, exchangeable if they do not differ; pairs that share prompts are not: test one number per
/// prompt
/// @param statistic  double(std::span<double const>), e.g. `mean`, `median`
/// @throws shape_error if x or y is empty; usage_error if permutations < 1; numeric_error if the statistic is NaN
/// @see Phipson & Smyth 2010, "Permutation p-values should never be zero"
template <class Statistic>
permutation_result two_sample_test(std::span<double const> x, std::span<double const> y, Statistic const& statistic,
                                   permutation_options const& options = {});

/// Whether paired differences are centred on zero: signs are flipped, the statistic is statistic(differences).
/// @param differences  [n], n >= 1, in the order of the chain if they belong to one
/// @param block  neighbours whose signs flip together: 1 for independent pairs, at least 5 for a chain
/// @throws shape_error if n = 0; usage_error if permutations < 1 or block < 1; numeric_error if the statistic is NaN
template <class Statistic>
permutation_result sign_flip_test(std::span<double const> differences, index block, Statistic const& statistic,
                                  permutation_options const& options = {});

namespace detail {

/// @param again  the statistic of one more permutation
template <class Again>
permutation_result count_permutations(double observed, permutation_options const& options, Again const& again) {
    if (options.permutations < 1)
        throw usage_error("a permutation test needs permutations, got ", options.permutations);
    if (std::isnan(observed)) throw numeric_error("the statistic of a permutation test is NaN");
    index at_least = 1;
    double const bound = std::abs(observed) * (1 - 1e-12);  // equal up to the order of summation
    for (index i = 0; i < options.permutations; ++i) at_least += std::abs(again()) >= bound;
    return {observed, static_cast<double>(at_least) / static_cast<double>(options.permutations + 1)};
}

}  // namespace detail

template <class Statistic>
permutation_result two_sample_test(std::span<double const> x, std::span<double const> y, Statistic const& statistic,
                                   permutation_options const& options) {
    if (x.empty() || y.empty())
        throw shape_error("a test needs two samples, got ", x.size(), " and ", y.size(), " values");
    std::vector<double> all(x.begin(), x.end());
    all.insert(all.end(), y.begin(), y.end());
    auto const difference = [&] {
        return statistic(std::span<double const>{all}.first(x.size())) -
               statistic(std::span<double const>{all}.subspan(x.size()));
    };
    counter_rng rng{options.seed};
    return detail::count_permutations(difference(), options, [&] {
        for (std::size_t i = all.size() - 1; i > 0; --i) std::swap(all[i], all[rng.below(i + 1)]);
        return difference();
    });
}

template <class Statistic>
permutation_result sign_flip_test(std::span<double const> differences, index block, Statistic const& statistic,
                                  permutation_options const& options) {
    if (differences.empty()) throw shape_error("a test needs at least one difference");
    if (block < 1) throw usage_error("signs flip by blocks of at least 1, got ", block);
    std::vector<double> flipped(differences.begin(), differences.end());
    counter_rng rng{options.seed};
    return detail::count_permutations(statistic(differences), options, [&] {
        double sign = 1;
        for (std::size_t i = 0; i < flipped.size(); ++i) {
            if (i % static_cast<std::size_t>(block) == 0) sign = (rng.next() >> 63) != 0 ? -1 : 1;
            flipped[i] = sign * differences[i];
        }
        return statistic(std::span<double const>{flipped});
    });
}

}  // namespace plateau::statistics
