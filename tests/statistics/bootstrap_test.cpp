#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/prompt_bootstrap.hpp>
#include <plateau/statistics/summaries.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/statistics/correlation.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::block_bootstrap;
using statistics::bootstrap_options;
using statistics::mean;
using statistics::median;
using statistics::prompt_bootstrap;
using vector = std::vector<double>;
using pair_list = std::vector<std::array<index, 2>>;

/// One number per prompt, and v = u_i + u_{i+1} for the chain of pairs: neighbours have a correlation of one half.
vector chain_of(index prompts, std::uint64_t seed) {
    auto const u = testing::random_vector<double>(prompts, seed);
    vector values;
    for (std::size_t i = 0; i + 1 < u.size(); ++i) values.push_back(2 + u[i] + u[i + 1]);
    return values;
}

/// All pairs i < j of prompts.
pair_list all_pairs(index prompts) {
    pair_list pairs;
    for (index i = 0; i < prompts; ++i) {
        for (index j = i + 1; j < prompts; ++j) pairs.push_back({i, j});
    }
    return pairs;
}

/// v = u_i + u_j + noise of the pair.
vector over_pairs(pair_list const& pairs, index prompts, double noise, std::uint64_t seed) {
    auto const u = testing::random_vector<double>(prompts, seed);
    counter_rng rng{seed + 1000003};
    vector values;
    for (auto const& [i, j] : pairs) {
        values.push_back(2 + u[static_cast<std::size_t>(i)] + u[static_cast<std::size_t>(j)] +
                         noise * standard_normal(rng));
    }
    return values;
}

TEST_CASE("a bootstrap's error of independent values is that of the mean", "[statistics][block_bootstrap]") {
    auto const values = testing::random_vector<double>(400, GENERATE(1u, 2u), 3);
    auto const found = block_bootstrap<double>(values, 1, mean, {.resamples = 4000});
    CHECK(found.value == mean(values));
    CHECK_THAT(found.standard_error, testing::WithinRel(3 / 20.0, 0.1));
    CHECK_THAT(found.high - found.low, testing::WithinRel(2 * 1.96 * found.standard_error, 0.06));
    CHECK(found.low < found.value);
    CHECK(found.value < found.high);
}

TEST_CASE("blocks see the dependence of a chain, single values do not", "[statistics][block_bootstrap]") {
    double const truth = std::sqrt(4.0 / 3000);  // Var = (2 + 2 · 1) / n
    double naive = 0, blocks = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        auto const values = chain_of(3001, seed);
        naive += block_bootstrap<double>(values, 1, mean, {.resamples = 500}).standard_error / 10;
        blocks += block_bootstrap<double>(values, 22, mean, {.resamples = 500}).standard_error / 10;
    }
    CHECK_THAT(naive, testing::WithinRel(truth / std::sqrt(2), 0.05));
    CHECK_THAT(blocks, testing::WithinRel(truth, 0.08));
}

TEST_CASE("few blocks widen an interval, by what Student's t says", "[statistics][block_bootstrap]") {
    // scipy.stats.t.ppf(0.975, v) / scipy.stats.norm.ppf(0.975) at v = 44 and 5
    CHECK_THAT(statistics::few_blocks_factor(300, 10, 0.95) / std::sqrt(300.0 / 290),
               testing::WithinAbs(1.02827, 1e-4));
    CHECK_THAT(statistics::few_blocks_factor(40, 10, 0.95) / std::sqrt(40.0 / 30), testing::WithinAbs(1.31157, 0.02));
    CHECK_THAT(statistics::few_blocks_factor(1000000, 1, 0.95), testing::WithinAbs(1, 1e-5));
}

TEST_CASE("an estimate is a function of the seed; a wider level is wider", "[statistics][block_bootstrap]") {
    auto const values = chain_of(300, 1);
    auto const once = block_bootstrap<double>(values, 10, median), twice = block_bootstrap<double>(values, 10, median);
    CHECK(once.low == twice.low);
    CHECK(once.high == twice.high);
    auto const other = block_bootstrap<double>(values, 10, median, {.seed = 2});
    CHECK(other.low != once.low);
    auto const narrow = block_bootstrap<double>(values, 10, median, {.level = 0.5});
    CHECK(narrow.low > once.low);
    CHECK(narrow.high < once.high);
}

TEST_CASE("default blocks grow with the chain, from 5 on", "[statistics][block_bootstrap]") {
    CHECK(statistics::default_block(1) == 1);
    CHECK(statistics::default_block(7) == 3);
    CHECK(statistics::default_block(20) == 5);
    CHECK(statistics::default_block(300) == 10);
    CHECK(statistics::default_block(999) == 15);
}

TEST_CASE("elements may be pairs of numbers, for a correlation", "[statistics][block_bootstrap]") {
    counter_rng rng{4};
    std::vector<std::array<double, 2>> points;
    for (int i = 0; i < 500; ++i) {
        double const x = standard_normal(rng);
        points.push_back({x, x + standard_normal(rng)});
    }
    auto const found = block_bootstrap<std::array<double, 2>>(points, 5, statistics::spearman, {.resamples = 500});
    double const truth = 6 / 3.14159265358979 * std::asin(std::sqrt(0.5) / 2);  // of a normal pair with r = √½
    CHECK(found.low < truth);
    CHECK(truth < found.high);
    CHECK(found.high - found.low < 0.15);
}

TEST_CASE("degenerate pairs are left out, but keep their place", "[statistics][block_bootstrap]") {
    auto values = chain_of(300, 1);
    for (std::size_t i = 0; i < values.size(); i += 7) values[i] = NAN;
    auto const found = block_bootstrap<double>(values, 10, mean);
    CHECK(std::isfinite(found.value));
    CHECK(std::isfinite(found.low));
    CHECK(std::isfinite(found.high));
    auto const none = block_bootstrap<double>(vector(20, NAN), 5, median);
    CHECK(std::isnan(none.value));
    CHECK(std::isnan(none.low));
    CHECK(std::isnan(none.high));
}

TEST_CASE("prompts drawn with replacement give the error of an all-pairs mean", "[statistics][prompt_bootstrap]") {
    index const prompts = 100;
    auto const pairs = all_pairs(prompts);
    auto const values = over_pairs(pairs, prompts, 1, GENERATE(1u, 2u));
    auto const found = prompt_bootstrap<double>(values, pairs, prompts, mean, {.resamples = 1000});
    CHECK_THAT(found.standard_error, testing::WithinRel(2 / std::sqrt(prompts), 0.2));  // 2 σ_u / √N, pairs add little
    auto const naive = block_bootstrap<double>(values, 1, mean, {.resamples = 500});
    CHECK(naive.standard_error < 0.25 * found.standard_error);
}

TEST_CASE("a statistic may take weights or the values written out: the numbers are the same",
          "[statistics][prompt_bootstrap]") {
    auto const pairs = all_pairs(12);
    auto const values = over_pairs(pairs, 12, 0.5, 3);
    auto const written_out = [](std::span<double const> sample) { return median(sample); };
    auto const a = prompt_bootstrap<double>(values, pairs, 12, median, {.resamples = 200});
    auto const b = prompt_bootstrap<double>(values, pairs, 12, written_out, {.resamples = 200});
    CHECK_THAT(a.low, testing::WithinAbs(b.low, 1e-12));
    CHECK_THAT(a.high, testing::WithinAbs(b.high, 1e-12));
    CHECK(a.value == b.value);
}

TEST_CASE("a resample without a pair is drawn again", "[statistics][prompt_bootstrap]") {
    pair_list const pairs{{0, 1}};
    vector const values{3};
    auto const found = prompt_bootstrap<double>(values, pairs, 2, mean, {.resamples = 50});
    CHECK(found.low == 3);
    CHECK(found.high == 3);
}

TEST_CASE("wrong requests of a bootstrap are errors", "[statistics][block_bootstrap]") {
    vector const values{1, 2, 3, 4, 5, 6};
    pair_list const pairs{{0, 1}};
    CHECK_THROWS_AS(block_bootstrap<double>(values, GENERATE(0, -1, 4), mean), usage_error);
    CHECK_THROWS_AS(block_bootstrap<double>(vector{1}, 1, mean), shape_error);
    CHECK_THROWS_AS(block_bootstrap<double>(values, 2, mean, {.resamples = 0}), usage_error);
    CHECK_THROWS_AS(block_bootstrap<double>(values, 2, mean, {.level = 1}), usage_error);
    CHECK_THROWS_AS((prompt_bootstrap<double>(values, pairs, 2, mean)), shape_error);
    CHECK_THROWS_AS((prompt_bootstrap<double>(vector{1}, pairs, 1, mean)), domain_error);
    CHECK_THROWS_AS((prompt_bootstrap<double>(vector{}, pair_list{}, 1, mean)), shape_error);
}

/// How often 95 % intervals hold the true mean of 2.
struct coverage {
    double share = 0;
    void add(statistics::estimate const& one, index repetitions) {
        share += (one.low <= 2 && 2 <= one.high) / static_cast<double>(repetitions);
    }
};

TEST_CASE("intervals of a chain's mean cover as they say, naive ones do not", "[statistics][coverage][full]") {
    index const prompts = GENERATE(300, 1000);
    index const repetitions = 1200000 / prompts;  // their share is known to 0.4 and 0.7 %
    coverage blocks, by_prompts, naive;
    pair_list pairs;
    for (index i = 0; i + 1 < prompts; ++i) pairs.push_back({i, i + 1});
    for (index r = 0; r < repetitions; ++r) {
        auto const values = chain_of(prompts, static_cast<std::uint64_t>(7919 * r + prompts));
        bootstrap_options const options{.resamples = 500, .seed = static_cast<std::uint64_t>(r)};
        blocks.add(block_bootstrap<double>(values, statistics::default_block(prompts - 1), mean, options), repetitions);
        naive.add(block_bootstrap<double>(values, 1, mean, options), repetitions);
        if (r % 4 == 0)
            by_prompts.add(prompt_bootstrap<double>(values, pairs, prompts, mean, options), repetitions / 4);
    }
    WARN("chain of " << prompts << " prompts: blocks " << blocks.share << ", prompts " << by_prompts.share << ", naive "
                     << naive.share);
    CHECK(blocks.share >= 0.92);
    CHECK(blocks.share <= 0.97);
    CHECK(by_prompts.share >= 0.92);
    CHECK(naive.share < 0.90);
}

TEST_CASE("intervals of an all-pairs mean cover as they say, naive ones do not", "[statistics][coverage][full]") {
    index const repetitions = 1000, prompts = 300;
    auto const pairs = all_pairs(prompts);
    coverage by_prompts, naive;
    for (index r = 0; r < repetitions; ++r) {
        auto const values = over_pairs(pairs, prompts, 1, static_cast<std::uint64_t>(7919 * r + 1));
        by_prompts.add(prompt_bootstrap<double>(values, pairs, prompts, mean,
                                                {.resamples = 200, .seed = static_cast<std::uint64_t>(r)}),
                       repetitions);
        if (r % 10 == 0) {
            naive.add(
                block_bootstrap<double>(values, 1, mean, {.resamples = 100, .seed = static_cast<std::uint64_t>(r)}),
                repetitions / 10);
        }
    }
    WARN("all pairs of " << prompts << " prompts: prompts " << by_prompts.share << ", naive " << naive.share);
    CHECK(by_prompts.share >= 0.92);
    CHECK(by_prompts.share <= 0.97);
    CHECK(naive.share < 0.5);
}

TEST_CASE("intervals of a chain's median cover too", "[statistics][coverage][full]") {
    index const repetitions = 1000, prompts = 400;
    coverage blocks, naive;
    for (index r = 0; r < repetitions; ++r) {
        auto const values = chain_of(prompts, static_cast<std::uint64_t>(104729 * r + 3));
        bootstrap_options const options{.resamples = 300, .seed = static_cast<std::uint64_t>(r)};
        blocks.add(block_bootstrap<double>(values, statistics::default_block(prompts - 1), median, options),
                   repetitions);
        naive.add(block_bootstrap<double>(values, 1, median, options), repetitions);
    }
    WARN("median of a chain of " << prompts << " prompts: blocks " << blocks.share << ", naive " << naive.share);
    CHECK(blocks.share >= 0.91);
    CHECK(naive.share < blocks.share);
}

}  // namespace
