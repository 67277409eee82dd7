#include <plateau/statistics/partition_change.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/catch.hpp"

#include <plateau/corpus/pairings.hpp>
#include <plateau/statistics/prompt_bootstrap.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::change_of_partitions;
using statistics::labeling_pair;
using labels = std::vector<index>;

labels random_labels(index count, std::uint64_t kinds, std::uint64_t seed) {
    counter_rng rng{seed};
    labels all;
    for (index i = 0; i < count; ++i) all.push_back(static_cast<index>(rng.below(kinds)));
    return all;
}

/// The bootstrap over pairs, one by one. @param value  [C] (together or apart before, changed) -> [numerator, whole]
statistics::estimate pair_by_pair(std::vector<labeling_pair> const& labelings, bool splitting,
                                  statistics::bootstrap_options const& options) {
    auto const count = static_cast<index>(labelings[0].before.size());
    auto const pairs = corpus::all_pairs(count);
    std::vector<std::array<double, 2>> counts;
    for (auto const& [i, j] : pairs) {
        auto& [changed, might] = counts.emplace_back();
        for (auto const& [before, after] : labelings) {
            auto const a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
            bool const same = before[a] == before[b], then = after[a] == after[b];
            might += same == splitting;
            changed += same == splitting && then != splitting;
        }
    }
    auto const ratio = [](std::span<std::array<double, 2> const> of, std::span<double const> weights = {}) {
        double changed = 0, might = 0;
        for (std::size_t p = 0; p < of.size(); ++p) {
            double const weight = weights.empty() ? 1 : weights[p];
            changed += weight * of[p][0], might += weight * of[p][1];
        }
        return might > 0 ? changed / might : NAN;
    };
    return statistics::prompt_bootstrap<std::array<double, 2>>(counts, pairs, count, ratio, options);
}

TEST_CASE("a planted split and a planted merge are found exactly", "[statistics][partition_change]") {
    // {0,1,2,3} {4,5} {6} {7}: the first splits in halves, the singles merge
    labels const before{1, 1, 1, 1, 2, 2, 3, 4}, after{1, 1, 9, 9, 2, 2, 5, 5};
    std::vector<labeling_pair> const both{{before, after}}, back{{after, before}},
        twice{{before, after}, {after, before}};
    auto const found = change_of_partitions(both), reverse = change_of_partitions(back),
               pooled = change_of_partitions(twice);
    CHECK_THAT(found.splitting.value, testing::WithinAbs(4.0 / 7, 1e-15));
    CHECK_THAT(found.merging.value, testing::WithinAbs(1.0 / 21, 1e-15));
    CHECK_THAT(reverse.splitting.value, testing::WithinAbs(1.0 / 4, 1e-15));
    CHECK_THAT(reverse.merging.value, testing::WithinAbs(4.0 / 24, 1e-15));
    CHECK_THAT(pooled.splitting.value, testing::WithinAbs(5.0 / 11, 1e-15));
    CHECK_THAT(pooled.merging.value, testing::WithinAbs(5.0 / 45, 1e-15));
}

TEST_CASE("sums over labels are the bootstrap over pairs", "[statistics][partition_change]") {
    for (index const count : {7, 20, 33}) {
        auto const a = random_labels(count, 2, 1), b = random_labels(count, 3, 2), c = random_labels(count, 2, 3);
        std::vector<labeling_pair> const labelings{{a, b}, {b, c}};
        statistics::bootstrap_options const options{.resamples = 200, .seed = 9};
        auto const found = change_of_partitions(labelings, options);
        for (bool const splitting : {true, false}) {
            auto const slow = pair_by_pair(labelings, splitting, options);
            auto const& fast = splitting ? found.splitting : found.merging;
            CHECK_THAT(fast.value, testing::WithinAbs(slow.value, 1e-12));
            CHECK_THAT(fast.standard_error, testing::WithinAbs(slow.standard_error, 1e-12));
            double const trials = slow.value * (1 - slow.value) / std::pow(slow.standard_error, 2);
            auto const interval = statistics::wilson_estimate(slow.value, trials);
            CHECK_THAT(fast.low, testing::WithinAbs(interval.low, 1e-9));
            CHECK_THAT(fast.high, testing::WithinAbs(interval.high, 1e-9));
        }
    }
}

TEST_CASE("partitions without a pair that might change have no number, those without a change an interval",
          "[statistics][partition_change]") {
    labels const together(6, 4), apart{0, 1, 2, 3, 4, 5};
    auto const change = [](labels const& x, labels const& y) {
        return change_of_partitions(std::vector<labeling_pair>{{x, y}}, {.resamples = 50});
    };
    auto const stays = change(together, together), shatters = change(together, apart),
               gathers = change(apart, together);
    CHECK(stays.splitting.value == 0);
    CHECK(stays.splitting.low == 0);
    CHECK_THAT(stays.splitting.high, testing::WithinAbs(statistics::wilson_share(0, 3).high, 1e-15));
    CHECK(std::isnan(stays.merging.value));
    CHECK(std::isnan(stays.merging.low));
    CHECK(shatters.splitting.value == 1);
    CHECK(shatters.splitting.high == 1);
    CHECK(std::isnan(gathers.splitting.value));
    CHECK(gathers.merging.value == 1);
    auto const two = change({3, 3}, {1, 2});
    CHECK(two.splitting.value == 1);
    CHECK(two.splitting.low < 0.3);
    labels const one{3, 3}, other{3, 4};
    auto const half = change_of_partitions(std::vector<labeling_pair>{{one, other}, {one, one}}, {.resamples = 20});
    CHECK(half.splitting.value == 0.5);
    CHECK(std::isnan(half.splitting.low));  // no resample of two prompts differs
    CHECK_THROWS_AS(change({1}, {1}), shape_error);
    CHECK_THROWS_AS(change({1, 2}, {1}), shape_error);
    CHECK_THROWS_AS(change_of_partitions({}), shape_error);
}

/// Regions of unlike sizes, each of which goes to regions after with probabilities of its own.
struct planted_change {
    std::vector<double> sizes;
    std::vector<std::vector<double>> to;

    /// Σ of squares: together before, after, both.
    std::array<double, 3> together() const {
        std::array<double, 3> sums{};
        for (std::size_t s = 0; s < to[0].size(); ++s) {
            double after = 0;
            for (std::size_t r = 0; r < sizes.size(); ++r) {
                after += sizes[r] * to[r][s];
                sums[2] += std::pow(sizes[r] * to[r][s], 2);
            }
            sums[1] += after * after;
        }
        for (double const size : sizes) sums[0] += size * size;
        return sums;
    }
    static index draw(std::vector<double> const& shares, counter_rng& rng) {
        double left = rng.uniform();
        std::size_t i = 0;
        while (i + 1 < shares.size() && left >= shares[i]) left -= shares[i++];
        return static_cast<index>(i);
    }
};

struct truth_and_coverage {
    double splitting, merging;
    double held[2] = {0, 0};
    void add(statistics::partition_change const& found, double share) {
        held[0] += share * (found.splitting.low <= splitting && splitting <= found.splitting.high);
        held[1] += share * (found.merging.low <= merging && merging <= found.merging.high);
    }
};

TEST_CASE("intervals of splitting and merging cover as they say", "[statistics][partition_change][coverage][full]") {
    // two contexts: in both the same sizes before, in each its own way after
    std::vector<double> const sizes{0.34, 0.22, 0.16, 0.12, 0.1, 0.06};
    planted_change const plants[2]{{sizes,
                                    {{0.6, 0.4, 0, 0, 0, 0, 0},
                                     {0, 0.1, 0.9, 0, 0, 0, 0},
                                     {0, 0, 0, 1, 0, 0, 0},
                                     {0, 0, 0.5, 0, 0.5, 0, 0},
                                     {0.2, 0, 0, 0.2, 0.2, 0.2, 0.2},
                                     {0, 0, 0, 0, 0, 0, 1}}},
                                   {sizes,
                                    {{0.9, 0.1, 0, 0, 0, 0, 0},
                                     {0.3, 0, 0.7, 0, 0, 0, 0},
                                     {0, 0, 0.2, 0.8, 0, 0, 0},
                                     {0, 0, 0, 0, 1, 0, 0},
                                     {0, 0.4, 0, 0, 0, 0.6, 0},
                                     {0, 0, 0, 0, 0.5, 0.5, 0}}}};
    index const prompts = GENERATE(60, 128);
    double together = 0, both = 0, after = 0;
    for (auto const& plant : plants) {
        auto const sums = plant.together();
        together += sums[0] / 2, after += sums[1] / 2, both += sums[2] / 2;
    }
    truth_and_coverage change{1 - both / together, (after - both) / (1 - together)};
    // from context to context of one checkpoint: their labels after
    double joint = 0;
    for (std::size_t s = 0; s < 7; ++s) {
        for (std::size_t t = 0; t < 7; ++t) {
            double cell = 0;
            for (std::size_t r = 0; r < sizes.size(); ++r) cell += sizes[r] * plants[0].to[r][s] * plants[1].to[r][t];
            joint += cell * cell;
        }
    }
    truth_and_coverage floor{1 - joint / after, (after - joint) / (1 - after)};
    index const repetitions = 2000;
    for (index k = 0; k < repetitions; ++k) {
        counter_rng rng{static_cast<std::uint64_t>(7919 * k + prompts)};
        labels before, then[2];
        for (index i = 0; i < prompts; ++i) {
            before.push_back(planted_change::draw(sizes, rng));
            for (int c = 0; c < 2; ++c)
                then[c].push_back(planted_change::draw(plants[c].to[static_cast<std::size_t>(before.back())], rng));
        }
        statistics::bootstrap_options const options{.resamples = 400, .seed = static_cast<std::uint64_t>(k)};
        double const share = 1 / static_cast<double>(repetitions);
        change.add(change_of_partitions(std::vector<labeling_pair>{{before, then[0]}, {before, then[1]}}, options),
                   share);
        floor.add(change_of_partitions(std::vector<labeling_pair>{{then[0], then[1]}, {then[1], then[0]}}, options),
                  share);
    }
    WARN(prompts << " prompts: splitting " << change.held[0] << ", merging " << change.held[1] << ", floors "
                 << floor.held[0] << " and " << floor.held[1]);
    for (double const held : {change.held[0], change.held[1], floor.held[0], floor.held[1]}) {
        CHECK(held >= 0.92);
        CHECK(held <= 0.97);
    }
}

TEST_CASE("intervals of rare splits cover as they say", "[statistics][partition_change][coverage][full]") {
    std::vector<double> const sizes{0.5, 0.3, 0.2};
    double const leave = GENERATE(0.005, 0.02, 0.05);
    index const prompts = 100, repetitions = 2000;
    double together = 0, both = 0;
    for (double const size : sizes) {
        together += size * size;
        both += std::pow(size * (1 - leave), 2);  // who leaves is alone
    }
    double const truth = 1 - both / together;
    double held = 0, none = 0;
    for (index k = 0; k < repetitions; ++k) {
        counter_rng rng{static_cast<std::uint64_t>(104729 * k + 1)};
        labels before, after;
        for (index i = 0; i < prompts; ++i) {
            before.push_back(planted_change::draw(sizes, rng));
            after.push_back(rng.uniform() < leave ? 100 + i : before.back());
        }
        auto const found = change_of_partitions(std::vector<labeling_pair>{{before, after}},
                                                {.resamples = 400, .seed = static_cast<std::uint64_t>(k)});
        held += (found.splitting.low <= truth && truth <= found.splitting.high) / static_cast<double>(repetitions);
        none += (found.splitting.value == 0) / static_cast<double>(repetitions);
    }
    WARN("each of " << prompts << " leaves with " << leave << ": " << held << ", without a split " << none);
    CHECK(held >= 0.92);
    CHECK(held <= 0.97);
}

}  // namespace
