#include <plateau/statistics/prompt_replicates.hpp>

#include <cmath>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/corpus/pairings.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/prompt_bootstrap.hpp>
#include <plateau/statistics/reweighted_median.hpp>
#include <plateau/statistics/reweighted_spearman.hpp>
#include <plateau/statistics/summaries.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::reweighted_median;
using statistics::reweighted_spearman;
using vector = std::vector<double>;

/// Whole weights, a third of them 0.
vector random_weights(std::size_t count, std::uint64_t seed) {
    counter_rng rng{seed};
    vector weights;
    for (std::size_t i = 0; i < count; ++i) weights.push_back(std::max(0.0, static_cast<double>(rng.below(6)) - 2));
    return weights;
}

TEST_CASE("a reweighted median is the median of what is written out", "[statistics][reweighted]") {
    for (index const count : {1, 2, 7, 32, 65}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            auto values = testing::random_vector<double>(3 * count, seed);
            if (count > 2) values[1] = NAN, values[2] = values[0];
            reweighted_median const fast{values, count};
            auto const weights = random_weights(static_cast<std::size_t>(count), seed + 100);
            vector three_times;
            for (int c = 0; c < 3; ++c) three_times.insert(three_times.end(), weights.begin(), weights.end());
            double const slow = statistics::median(values, three_times), found = fast(weights);
            CHECK((found == slow || (std::isnan(found) && std::isnan(slow))));
        }
    }
    CHECK(std::isnan(reweighted_median(vector{1, 2}, 2)(vector{0, 0})));
    CHECK(std::isnan(reweighted_median(vector{NAN, NAN}, 2)(vector{1, 1})));
    CHECK_THROWS_AS(reweighted_median(vector{1, 2, 3}, 2), shape_error);
    CHECK_THROWS_AS(reweighted_median(vector{}, 0), shape_error);
}

TEST_CASE("a reweighted correlation is that of what is written out", "[statistics][reweighted]") {
    for (std::size_t const count : {2u, 7u, 32u, 65u}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            counter_rng rng{seed};
            vector x, y;
            for (std::size_t i = 0; i < count; ++i) x.push_back(static_cast<double>(rng.below(5)));  // ties
            for (std::size_t i = 0; i < 2 * count; ++i) y.push_back(x[i % count] + 3 * rng.uniform());
            if (count > 7) x[3] = y[5] = NAN;
            reweighted_spearman const fast{x, y};
            auto const weights = random_weights(count, seed + 7);
            std::vector<std::array<double, 2>> points;
            for (std::size_t k = 0; k < y.size(); ++k) {
                if (std::isnan(x[k % count]) || std::isnan(y[k])) continue;
                points.insert(points.end(), static_cast<std::size_t>(weights[k % count]), {x[k % count], y[k]});
            }
            double const slow = statistics::spearman(points), found = fast(weights);
            CAPTURE(count, seed, slow, found);
            CHECK((std::abs(found - slow) < 1e-12 || (std::isnan(found) && std::isnan(slow))));
        }
    }
    CHECK(std::isnan(reweighted_spearman(vector{1, 1}, vector{2, 3})(vector{1, 1})));
    CHECK_THROWS_AS(reweighted_spearman(vector{1, 2}, vector{2, 3, 4}), shape_error);
    CHECK_THROWS_AS(reweighted_spearman(vector{}, vector{}), shape_error);
}

TEST_CASE("replicates of several statistics are those of one, for any number of threads",
          "[statistics][prompt_replicates]") {
    auto const pairs = corpus::all_pairs(9);
    auto const values = testing::random_vector<double>(static_cast<index>(pairs.size()), 3);
    std::vector<statistics::reweighted> const several{
        reweighted_median{values, static_cast<index>(values.size())},
        [&](std::span<double const> weights) { return statistics::mean(values, weights); }};
    statistics::bootstrap_options const options{.resamples = 300, .seed = 5};
    auto const found = statistics::replicate(several, pairs, 9, options),
               again = statistics::replicate(several, pairs, 9, options, 3);
    auto const all = found.estimates(), twice = again.estimates();
    auto const alone = statistics::prompt_bootstrap<double>(values, pairs, 9, statistics::median, options),
               mean = statistics::prompt_bootstrap<double>(values, pairs, 9, statistics::mean, options);
    for (auto const& [one, other] :
         {std::pair{all[0], alone}, {all[1], mean}, {all[0], twice[0]}, {all[1], twice[1]}}) {
        CHECK(one.value == other.value);
        CHECK(one.low == other.low);
        CHECK(one.high == other.high);
    }
    auto const band = found.simultaneous();
    CHECK(band.value == found.values);
    CHECK(band.high[0] - band.low[0] > all[0].high - all[0].low);

    auto const plain = statistics::simultaneous_band(found.values, found.replicates);
    CHECK_THAT(band.factor, testing::WithinRel(plain.factor * statistics::few_blocks_factor(9, 1, 0.95), 1e-12));
    CHECK_THAT((band.high[1] - band.value[1]) / (plain.high[1] - plain.value[1]),
               testing::WithinRel(statistics::few_blocks_factor(9, 1, 0.95), 1e-9));

    std::vector<std::array<index, 2>> const one_pair{{0, 1}};
    auto const of_one = statistics::replicate(several, one_pair, 2, options).estimates();
    CHECK(std::isnan(of_one[0].low));
    CHECK(std::isnan(statistics::replicate(several, one_pair, 2, options).simultaneous().low[0]));
    CHECK_THROWS_AS(statistics::replicate(several, {}, 2, options), shape_error);
    CHECK_THROWS_AS(statistics::replicate(several, pairs, 8, options), domain_error);
}

TEST_CASE("a band of correlations stays between -1 and 1, and holds its curve", "[statistics][prompt_replicates]") {
    auto const pairs = corpus::all_pairs(12);
    auto const x = testing::random_vector<double>(static_cast<index>(pairs.size()), 3);
    vector noisy, constant(x.size(), 2.0);
    counter_rng rng{4};
    for (double const one : x) noisy.push_back(one + 0.3 * standard_normal(rng));
    std::vector<statistics::reweighted> const curve{reweighted_spearman{x, x}, reweighted_spearman{x, noisy},
                                                    reweighted_spearman{x, constant}};
    auto const band = statistics::replicate(curve, pairs, 12, {.resamples = 200}).of_correlations();
    CHECK(band.value[0] == 1);
    CHECK(band.low[0] <= 1);
    CHECK(band.low[0] > 1 - 1e-12);
    CHECK(band.high[0] == 1);
    CHECK(band.low[1] < band.value[1]);
    CHECK(band.high[1] > band.value[1]);
    CHECK(band.high[1] < 1);
    CHECK(band.high[1] - band.value[1] < band.value[1] - band.low[1]);
    CHECK(std::isnan(band.value[2]));
    CHECK(std::isnan(band.low[2]));
}

}  // namespace
