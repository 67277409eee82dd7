#include <plateau/sweep/curves_csv.hpp>
#include <plateau/sweep/emergence.hpp>
#include <plateau/sweep/jump_scores.hpp>
#include <plateau/sweep/pair_statistics.hpp>
#include <plateau/sweep/same_region.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using plateau::index;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;
using dependence = sweep::pair_design::dependence;
double const nan = std::numeric_limits<double>::quiet_NaN();

/// Four pairs over three points: a step, a line, a step the other way of the middle, and one that does not move.
tensor::buffer<double, 2> planted() {
    tensor::buffer<double, 2> d({4, 3});
    double const values[4][3]{{0, 0, 4}, {0, 1, 2}, {0, 3, 3}, {0, 0, 0}};
    for (index p = 0; p < 4; ++p) std::copy_n(values[p], 3, d[p].data());
    return d;
}

sweep::pair_design design(dependence how) { return sweep::design_of({{0, 1}, {1, 2}, {2, 3}, {3, 4}}, 5, how); }

TEST_CASE("transitions have the numbers of planted curves", "[sweep][transitions]") {
    auto const curves = sweep::transitions_of({0, 0.5, 1}, planted(), 0);
    CHECK(curves.degenerate == 1);
    CHECK(curves.max_slope[0] == 2);
    CHECK(curves.alpha_jump[0] == 0.75);
    CHECK(curves.max_slope[1] == 1);
    CHECK(curves.alpha_jump[2] == 0.25);
    CHECK(std::isnan(curves.max_slope[3]));
    CHECK(curves.at(0.5)[1] == 0.5);
    CHECK(curves.median_curve(std::vector<index>{0, 1, 2}) == std::vector<double>{0, 0.5, 1});
    CHECK_THROWS_AS(sweep::transitions_of({0, 0.5, 1}, planted(), 10), plateau::numeric_error);
    auto bad = planted();
    bad(2, 1) = nan;
    CHECK_THAT(plateau::testing::message_of<plateau::numeric_error>([&] { sweep::require_finite(bad, "resid"); }),
               plateau::testing::contains("at resid is not finite for pair 2, alpha = 0.5000"));
}

TEST_CASE("a design gives the plain statistic whatever pairs share, and no interval of one pair",
          "[sweep][pair_design]") {
    std::vector<double> const values{1, 2, 4, 9};
    for (auto const how : {dependence::none, dependence::chain, dependence::prompts}) {
        auto const found = design(how).mean(values);
        CHECK(found.value == 4);
        CHECK(found.low <= 4);
        CHECK(found.high >= 4);
    }
    CHECK(std::isnan(sweep::design_of({{0, 1}}, 2, dependence::none).median({3}).low));
    CHECK_THROWS_AS(sweep::design_of({}, 1, dependence::chain), plateau::usage_error);
}

TEST_CASE("a share has an interval even where all pairs agree", "[sweep][pair_design]") {
    for (auto const how : {dependence::none, dependence::chain, dependence::prompts}) {
        auto const all = design(how).share({1, 1, nan, 1});
        CHECK(all.value == 1);
        CHECK(all.low < 1);
        CHECK(all.high == 1);
    }
}

TEST_CASE("signs of one region are 1, 0, or NaN for a degenerate pair", "[sweep][same_region]") {
    auto const curves = sweep::transitions_of({0, 0.5, 1}, planted(), 0);
    auto const flat = sweep::indicator(curves, [&](std::size_t p) { return curves.max_slope[p] < 1.5; });
    CHECK(flat[0] == 0);
    CHECK(flat[1] == 1);
    CHECK(std::isnan(flat[3]));
    auto const same = sweep::same_label(curves, design(dependence::chain), {7, 7, 8, 8, 8});
    CHECK(same[0] == 1);
    CHECK(same[1] == 0);
    CHECK(sweep::one_label(curves, {1, 1, 1, 1, 1, 2, 3, 3, 3, 1, 1, 1})[1] == 0);
    CHECK(sweep::share_among(flat, same).value == 0);
    CHECK(std::isnan(sweep::share_among({0, 0, 0, 0}, same).value));
    CHECK(sweep::last_tokens({{1, 2}, {3}}) == std::vector<index>{2, 3});
}

TEST_CASE("a perfect predictor has no error and a shifted one the error of its shift", "[sweep][jump_scores]") {
    std::vector<double> const found{0.2, 0.4, 0.6, nan};
    auto const perfect = sweep::score_of(design(dependence::none), found, found, {true, true, true, true});
    CHECK(perfect.error.value == 0);
    CHECK(perfect.side.value == 1);
    CHECK(perfect.correlation.value == Approx(1));
    CHECK(perfect.count == 3);
    auto const shifted =
        sweep::score_of(design(dependence::none), {0.3, 0.5, 0.7, 0.1}, found, {true, true, true, true});
    CHECK(shifted.error.value == Approx(0.1));
    CHECK(shifted.rms.value == Approx(0.1));
}

TEST_CASE("what sharpens from one checkpoint to the next is the sum of its parts", "[sweep][emergence]") {
    auto const pairs = design(dependence::none);
    auto before = sweep::moment_of(pairs, sweep::transitions_of({0, 0.5, 1}, planted(), 0), 1.5);
    CHECK(before.share.value == Approx(2.0 / 3));
    CHECK(before.level.value == 2);
    auto sharper = planted();
    sharper(1, 1) = 0;
    auto const after = sweep::moment_of(pairs, sweep::transitions_of({0, 0.5, 1}, sharper, 0), 1.5);
    auto const change = sweep::change_of(pairs, before, after, 1.5);
    CHECK(change.both == 2);
    CHECK(change.total.value == Approx(after.slope_mean.value - before.slope_mean.value));
    CHECK(change.total.value == Approx(change.from_share.value + change.from_above.value + change.from_below.value));
}

TEST_CASE("correlations and differences of pairs leave out what is not known", "[sweep][pair_statistics]") {
    auto const pairs = design(dependence::none);
    auto const found = sweep::correlation_of(pairs, {1, 2, nan, 4}, {10, 20, 30, 40});
    CHECK(found.rho.value == Approx(1));
    CHECK(found.known == 3);
    auto const difference = sweep::difference_of(pairs, {2, 3, nan, 5}, {1, 1, 1, 1});
    CHECK(difference.median.value == 2);
    CHECK(difference.cliffs_delta.value == 1);
    CHECK(std::isnan(sweep::difference_of(pairs, {2, nan, nan, nan}, {1, 1, 1, 1}).p));
}

TEST_CASE("curves of pairs are lines of CSV", "[sweep][curves_csv]") {
    plateau::testing::scratch_dir const dir;
    auto const curves = sweep::transitions_of({0, 0.5, 1}, planted(), 0);
    plateau::atomic_file file{dir / "curves.csv"};
    sweep::write_csv({{0, 1}, {1, 2, 2}, {2, 3}, {3, 4}}, 0, curves.alpha, planted(), curves.relative, file);
    file.commit();
    auto const text = plateau::testing::bytes_of(dir / "curves.csv");
    CHECK_THAT(text, plateau::testing::contains("pair,context,other,alpha,distance,relative\n0,0,1,0,0,0\n"));
    CHECK_THAT(text, plateau::testing::contains("\n1,2,1,0.5,1,0.5\n"));
    CHECK_THAT(text, plateau::testing::contains("\n3,3,4,1,0,nan\n"));
}

}  // namespace
