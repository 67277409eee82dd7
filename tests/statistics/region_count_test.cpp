#include <plateau/statistics/region_count.hpp>

#include <array>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/statistics/prompt_bootstrap.hpp>
#include <plateau/statistics/summaries.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::region_count;

double const infinity = INFINITY;

/// Region numbers of prompts, drawn from n regions whose sizes are gamma of a whole shape (sums of exponentials), or
/// equal.
struct planted_regions {
    std::vector<double> upto;
    planted_regions(index n, int shape, std::uint64_t seed) {
        counter_rng rng{seed};
        double total = 0;
        for (index i = 0; i < n; ++i) {
            double size = shape == 0 ? 1 : 0;
            for (int k = 0; k < shape; ++k) size -= std::log(1 - rng.uniform());
            upto.push_back(total += size);
        }
    }
    std::vector<index> draw(index prompts, std::uint64_t seed) const {
        counter_rng rng{seed};
        std::vector<index> regions;
        for (index i = 0; i < prompts; ++i) {
            regions.push_back(std::upper_bound(upto.begin(), upto.end() - 1, rng.uniform() * upto.back()) -
                              upto.begin());
        }
        return regions;
    }
};

TEST_CASE("the same-region probability is that of pairs", "[statistics][region_count]") {
    std::vector<index> const regions{4, 1, 4, 4, 2, 1};
    CHECK_THAT(statistics::same_region_probability(regions), testing::WithinRel(4.0 / 15, 1e-15));
    CHECK(statistics::same_region_probability(std::vector<index>{1, 2, 3}) == 0);
    CHECK(statistics::same_region_probability(std::vector<index>{5, 5}) == 1);
    CHECK_THROWS_AS(statistics::same_region_probability(std::vector<index>{5}), shape_error);
}

TEST_CASE("planted numbers of regions are recovered, with the correction for their sizes",
          "[statistics][region_count]") {
    index const n = GENERATE(50, 150);
    int const shape = GENERATE(0, 1, 2);  // 0: equal sizes
    CAPTURE(n, shape);
    double total = 0;
    int const repetitions = 40;
    for (std::uint64_t r = 0; r < repetitions; ++r) {
        auto const regions = planted_regions(n, shape, 10 * r + 1).draw(3000, 10 * r + 2);
        double const same = statistics::same_region_probability(regions);
        total += region_count({same, same, same, 0}, shape == 0 ? infinity : shape).value / repetitions;
    }
    CHECK_THAT(total, testing::WithinRel(static_cast<double>(n), 0.06));
    // without the correction the count is too small by 1 / (1 + 1/r)
}

TEST_CASE("the interval of the same-region probability is that of all pairs", "[statistics][region_count]") {
    index const prompts = GENERATE(2, 3, 7, 65);
    auto const regions = planted_regions(5, 1, 4).draw(prompts, 9);
    std::vector<std::array<index, 2>> pairs;
    std::vector<double> same;
    for (index i = 0; i < prompts; ++i) {
        for (index j = i + 1; j < prompts; ++j) {
            pairs.push_back({i, j});
            same.push_back(regions[static_cast<std::size_t>(i)] == regions[static_cast<std::size_t>(j)]);
        }
    }
    statistics::bootstrap_options const options{.resamples = 300, .seed = 6};
    auto const expected = statistics::prompt_bootstrap<double>(same, pairs, prompts, statistics::mean, options);
    auto const found = statistics::same_region_estimate(regions, options);
    CHECK_THAT(found.value, testing::WithinAbs(expected.value, 1e-14));
    CHECK_THAT(found.low, testing::WithinAbs(expected.low, 1e-14));
    CHECK_THAT(found.high, testing::WithinAbs(expected.high, 1e-14));
    CHECK_THAT(found.standard_error, testing::WithinAbs(expected.standard_error, 1e-14));
    CHECK_THROWS_AS(statistics::same_region_estimate(std::vector<index>{1}), shape_error);
    CHECK_THROWS_AS(statistics::same_region_estimate(regions, {.resamples = 0}), usage_error);
}

TEST_CASE("the interval from prompts drawn again holds the planted number", "[statistics][region_count]") {
    index const prompts = 200;
    std::vector<std::array<index, 2>> pairs;
    for (index i = 0; i < prompts; ++i) {
        for (index j = i + 1; j < prompts; ++j) pairs.push_back({i, j});
    }
    int held = 0;
    for (std::uint64_t r = 0; r < 25; ++r) {
        auto const regions = planted_regions(60, 0, 1).draw(prompts, r + 2);
        std::vector<double> same;
        for (auto const& [i, j] : pairs)
            same.push_back(regions[static_cast<std::size_t>(i)] == regions[static_cast<std::size_t>(j)]);
        auto const found = region_count(
            statistics::prompt_bootstrap<double>(same, pairs, prompts, statistics::mean, {.resamples = 200}), infinity);
        CHECK(found.low <= found.value);
        CHECK(found.value <= found.high);
        held += found.low <= 60 && 60 <= found.high;
    }
    CHECK(held >= 19);
}

TEST_CASE("a count turns the interval around, and the ends of P are defined", "[statistics][region_count]") {
    auto const count = region_count(statistics::wilson_share(46, 9999), 2);  // 0.46 % of the published pairs
    CHECK_THAT(count.value, testing::WithinRel(1.5 / 0.0046, 1e-3));
    CHECK(count.low < count.value);
    CHECK(count.high > count.value);
    auto const none = region_count(statistics::wilson_share(0, 100), infinity);
    CHECK(none.value == infinity);
    CHECK(none.high == infinity);
    CHECK((none.low > 20 && none.low < 40));  // at least so many
    auto const all = region_count(statistics::wilson_share(100, 100), infinity);
    CHECK(all.value == 1);
    CHECK(all.low == 1);
    CHECK_THROWS_AS(region_count(statistics::wilson_share(1, 2), GENERATE(0.0, -1.0, static_cast<double>(NAN))),
                    domain_error);
    CHECK_THROWS_AS(statistics::wilson_share(3, 2), domain_error);
    CHECK_THROWS_AS(statistics::wilson_share(0, 0), domain_error);
    CHECK_THROWS_AS(statistics::wilson_share(1, 2, 1.0), domain_error);
    CHECK_THROWS_AS(statistics::normal_quantile(1.5), domain_error);
    CHECK(statistics::normal_quantile(0) == -infinity);
    CHECK(statistics::normal_quantile(1) == infinity);
}

}  // namespace
