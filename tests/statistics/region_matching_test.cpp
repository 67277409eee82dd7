#include <plateau/statistics/region_matching.hpp>

#include <vector>

#include "support/catch.hpp"

#include <plateau/core/rng.hpp>
#include <plateau/statistics/permuted_information.hpp>

namespace {

using namespace plateau;
using plateau::index;
using kind = statistics::region_flow::kind;
using labels = std::vector<index>;

TEST_CASE("planted births, deaths, splits and merges are found", "[statistics][region_matching]") {
    // 5: lives on as 50, and 2 of it split off as 51; 6: lives on as 60; 7: dies into 60, but for a stray to 50
    labels const before{5, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7}, after{50, 50, 50, 51, 51, 60, 60, 60, 60, 60, 60, 50};
    auto const found = statistics::match_regions(before, after);
    CHECK(found.before == labels{5, 6, 7});
    CHECK(found.after == labels{50, 51, 60});
    CHECK(found.sizes_before == labels{5, 4, 3});
    CHECK(found.sizes_after == labels{4, 2, 6});
    CHECK(found.match == labels{0, 2, -1});
    CHECK(found.match_of == labels{0, -1, 1});
    CHECK(found.births() == 1);
    CHECK(found.deaths() == 1);
    CHECK(found.splits() == 1);
    CHECK(found.merges() == 1);
    REQUIRE(found.flows.size() == 5);
    std::vector<kind> kinds;
    index items = 0;
    for (auto const& flow : found.flows) kinds.push_back(flow.what), items += flow.items;
    CHECK(kinds == std::vector{kind::kept, kind::split, kind::kept, kind::stray, kind::merge});
    CHECK(items == 12);
}

TEST_CASE("prompts that pass between regions that live on split and merge at once", "[statistics][region_matching]") {
    labels const before{1, 1, 1, 1, 1, 2, 2, 2}, after{1, 1, 1, 2, 2, 2, 2, 2};
    auto const found = statistics::match_regions(before, after);
    CHECK(found.births() == 0);
    CHECK(found.splits() == 1);
    CHECK(found.merges() == 1);
    CHECK(statistics::match_regions(before, after, 3).splits() == 0);
    auto const same = statistics::match_regions(before, before);
    CHECK(same.births() + same.deaths() + same.splits() + same.merges() == 0);
}

TEST_CASE("regions without a match share nothing, and numbers add up", "[statistics][region_matching]") {
    counter_rng rng{3};
    for (std::uint64_t const kinds : {1u, 2u, 5u, 20u}) {
        for (int repetition = 0; repetition < 10; ++repetition) {
            labels x, y;
            for (int i = 0; i < 32; ++i) {
                x.push_back(static_cast<index>(rng.below(kinds)));
                y.push_back(static_cast<index>(rng.below(1 + kinds / 2)));
            }
            auto const found = statistics::match_regions(x, y);
            auto const before = static_cast<index>(found.before.size()), after = static_cast<index>(found.after.size());
            CHECK(before - found.deaths() == after - found.births());
            for (auto const& flow : found.flows) {
                bool const lives = found.match[static_cast<std::size_t>(flow.from)] >= 0,
                           lived = found.match_of[static_cast<std::size_t>(flow.to)] >= 0;
                CHECK((lives || lived));
            }
        }
    }
    CHECK_THROWS_AS(statistics::match_regions(labels{1}, labels{}), shape_error);
}

TEST_CASE("information of planted partitions, beside that of permuted labels", "[statistics][information]") {
    labels before, halves;
    for (index i = 0; i < 32; ++i) before.push_back(i / 16), halves.push_back(i / 8);
    auto const found = statistics::information_of(before, halves, {.permutations = 300});
    double const correction = 2 / 64.0;  // (4 − 2) / 2n: as many joint cells as labels after
    CHECK_THAT(found.splitting.value, testing::WithinAbs(std::log(2) + correction, 1e-12));
    CHECK_THAT(found.merging.value, testing::WithinAbs(0, 1e-12));
    CHECK(found.adjusted.value == statistics::adjusted_mutual_information(statistics::contingency_of(before, halves)));
    CHECK_THAT(found.adjusted.null_mean, testing::WithinAbs(0, 0.02));
    CHECK(found.adjusted.null_bound < 0.5 * found.adjusted.value);
    CHECK(found.merging.null_bound > 0.5);
    CHECK(found.merging.null_mean >= found.merging.null_bound);
    auto const same = statistics::information_of(before, before, {.permutations = 20});
    CHECK_THAT(same.adjusted.value, testing::WithinAbs(1, 1e-12));
    CHECK_THAT(same.splitting.value, testing::WithinAbs(0, 1e-12));
    labels const one(8, 3), each{0, 1, 2, 3, 4, 5, 6, 7};
    CHECK(statistics::information_of(one, one, {.permutations = 5}).adjusted.null_bound == 1);
    CHECK(statistics::information_of(each, each, {.permutations = 5}).adjusted.null_mean == 1);
    CHECK(statistics::information_of(one, each, {.permutations = 5}).adjusted.value == 0);
    CHECK_THROWS_AS(statistics::information_of(one, labels{1}), shape_error);
    CHECK_THROWS_AS(statistics::information_of(one, one, {.permutations = 0}), usage_error);
}

TEST_CASE("related labels are beyond their null, unrelated ones seldom", "[statistics][information]") {
    counter_rng rng{8};
    int beyond = 0;
    for (int repetition = 0; repetition < 200; ++repetition) {
        labels x, y;
        for (int i = 0; i < 40; ++i) {
            x.push_back(static_cast<index>(rng.below(4)));
            y.push_back(static_cast<index>(rng.below(4)));
        }
        auto const found =
            statistics::information_of(x, y, {.permutations = 99, .seed = static_cast<std::uint64_t>(repetition)});
        beyond += found.adjusted.value > found.adjusted.null_bound;
    }
    CHECK(beyond <= 22);  // 5 % of 200, and 3 standard deviations and some
}

}  // namespace
