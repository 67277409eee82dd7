#include <plateau/statistics/share_and_level.hpp>

#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/statistics/block_bootstrap.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using statistics::change_of_mean;
using pairs = std::vector<std::array<double, 2>>;

TEST_CASE("a sample is its share above a threshold, and two levels", "[statistics][share_and_level]") {
    auto const s = statistics::share_and_level_of(std::vector<double>{1, 1.5, NAN, 4, 1.2, 6}, 1.5);
    CHECK(s.count == 5);
    CHECK(s.share == 0.6);
    CHECK_THAT(s.above, testing::WithinRel(11.5 / 3, 1e-15));
    CHECK_THAT(s.below, testing::WithinRel(1.1, 1e-15));
    CHECK_THAT(s.mean(), testing::WithinRel(13.7 / 5, 1e-15));
    auto const high = statistics::share_and_level_of(std::vector<double>{2, 4}, 1.5);
    CHECK(high.share == 1);
    CHECK(std::isnan(high.below));
    CHECK(high.mean() == 3);
    auto const none = statistics::share_and_level_of(std::vector<double>{NAN}, 1.5);
    CHECK(none.count == 0);
    CHECK(std::isnan(none.share));
}

TEST_CASE("planted causes of a change are told apart", "[statistics][share_and_level]") {
    counter_rng rng{3};
    pairs only_share, only_level, both;
    for (int i = 0; i < 20'000; ++i) {
        double const u = rng.uniform();
        double const before = u < 0.2 ? 5 : 1, after = u < 0.6 ? 5 : 1;  // the share above goes from 0.2 to 0.6
        only_share.push_back({before, after});
        only_level.push_back({before, u < 0.2 ? 8.0 : 1.0});  // the level above from 5 to 8
        both.push_back({before, u < 0.6 ? 8.0 : 1.0});
    }
    auto const near = [](double x, double expected) { CHECK_THAT(x, testing::WithinAbs(expected, 0.05)); };
    auto const share = change_of_mean(only_share, 2);
    near(share.from_share, 0.4 * 4);
    CHECK(share.from_above == 0);
    CHECK(share.from_below == 0);
    auto const level = change_of_mean(only_level, 2);
    CHECK(level.from_share == 0);
    near(level.from_above, 0.2 * 3);
    auto const all = change_of_mean(both, 2);
    near(all.from_share, 0.4 * (6.5 - 1));
    near(all.from_above, 0.4 * 3);
    CHECK_THAT(all.from_share + all.from_above + all.from_below, testing::WithinAbs(all.total, 1e-12));
}

TEST_CASE("the parts of a change add up to it, whatever the data", "[statistics][share_and_level]") {
    auto const seed = GENERATE(range(0u, 30u));
    counter_rng rng{seed};
    pairs values;
    auto const n = 1 + rng.below(40);
    for (std::uint64_t i = 0; i < n; ++i) values.push_back({1 + standard_normal(rng), 2 + 2 * standard_normal(rng)});
    if (seed % 3 == 0) values.push_back({NAN, 5}), values.push_back({5, NAN});
    auto const parts = change_of_mean(values, 1.5);
    CHECK_THAT(parts.from_share + parts.from_above + parts.from_below, testing::WithinAbs(parts.total, 1e-12));
}

TEST_CASE("a change from nothing above is one of the share", "[statistics][share_and_level]") {
    auto const born = change_of_mean(pairs{{1, 1}, {1, 5}, {1, 5}, {1, 1}}, 2);
    CHECK(born.total == 2);
    CHECK(born.from_share == 2);
    CHECK(born.from_above == 0);
    auto const low = change_of_mean(pairs{{1, 1.5}, {1, 1.5}}, 2);  // never anything above
    CHECK(low.from_share == 0);
    CHECK(low.from_below == 0.5);
    auto const risen = change_of_mean(pairs{{1, 3}, {1, 3}}, 2);  // all below, then all above
    CHECK(risen.from_share == 2);
    CHECK(risen.total == 2);
    CHECK(std::isnan(change_of_mean(pairs{}, 2).total));
    CHECK(std::isnan(change_of_mean(pairs{{NAN, 1}}, 2).from_share));
}

TEST_CASE("bootstraps take the parts", "[statistics][share_and_level]") {
    counter_rng rng{8};
    pairs values;
    for (int i = 0; i < 300; ++i) values.push_back({rng.uniform() < 0.3 ? 4.0 : 1.0, rng.uniform() < 0.5 ? 4.0 : 1.0});
    auto const part = [](std::span<std::array<double, 2> const> x) { return change_of_mean(x, 2).from_share; };
    auto const found =
        statistics::block_bootstrap(std::span<std::array<double, 2> const>{values}, 1, part, {.resamples = 500});
    CHECK(found.low < 0.6);  // the planted 0.2 · 3
    CHECK(found.high > 0.6);
    CHECK(found.high - found.low < 0.6);
}

}  // namespace
