#include <plateau/metrics/blow_up.hpp>
#include <plateau/metrics/cumulative_arc.hpp>
#include <plateau/metrics/jumps.hpp>
#include <plateau/metrics/label_runs.hpp>
#include <plateau/metrics/lipschitz_ratio.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/toy_models.hpp"

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

vector even(int points) {
    vector alpha;
    for (int i = 0; i < points; ++i) alpha.push_back(static_cast<double>(i) / (points - 1));
    return alpha;
}

TEST_CASE("a planted blow-up is found by both rules", "[metrics][blow_up]") {
    int const points = GENERATE(21, 50, 100);
    int const planted = GENERATE(6, 9, 14) * points / 21;
    vector kl{0};
    for (int i = 1; i < points; ++i) kl.push_back(std::exp(0.01 * i + (i > planted ? 5 : 0)));
    CHECK(metrics::blow_up_step(kl, metrics::blow_up_rule::max) == planted);
    CHECK(metrics::blow_up_step(kl, metrics::blow_up_rule::first) == planted);
}

TEST_CASE("the first steep step need not be the steepest, and the outer quarters do not count", "[metrics][blow_up]") {
    vector kl(40, 1.0);
    for (std::size_t i = 5; i < 40; ++i) kl[i] *= 1e6;  // before the middle half
    for (std::size_t i = 15; i < 40; ++i) kl[i] *= 10;
    for (std::size_t i = 25; i < 40; ++i) kl[i] *= 20;
    for (std::size_t i = 35; i < 40; ++i) kl[i] *= 1e6;  // after it
    CHECK(metrics::blow_up_step(kl, metrics::blow_up_rule::max) == 24);
    CHECK(metrics::blow_up_step(kl, metrics::blow_up_rule::first) == 14);
}

TEST_CASE("curves without growth, or with zeros and NaN, have a defined blow-up", "[metrics][blow_up]") {
    vector const constant(20, 2.0), zero(20, 0.0), broken(20, NAN);
    CHECK(metrics::blow_up_step(constant) == 5);  // the first of equal steps
    CHECK(metrics::blow_up_step(constant, metrics::blow_up_rule::first) == std::nullopt);
    CHECK(metrics::blow_up_step(zero) == std::nullopt);
    CHECK(metrics::blow_up_step(broken) == std::nullopt);
    auto partly = constant;
    partly[8] = GENERATE(0.0, -1.0, static_cast<double>(NAN));
    for (std::size_t i = 12; i < 20; ++i) partly[i] = 5;
    CHECK(metrics::blow_up_step(partly) == 11);
    CHECK_THROWS_AS(metrics::blow_up_step(vector{1, 2, 3}), shape_error);
}

TEST_CASE("the max-slope step and the area under the plateau", "[metrics][blow_up]") {
    vector const curve{0, 1, 2, 3, 13, 14};
    CHECK(metrics::max_slope_step(curve) == 3);
    CHECK(metrics::area_under_plateau(curve, 3, 0.5) == 2.25);
    CHECK(metrics::area_under_plateau(curve, 0, 0.5) == 0);
    CHECK(metrics::max_slope_step(vector{1, 1, 1}) == 0);
    CHECK(metrics::max_slope_step(vector{1, NAN, 1}) == std::nullopt);
    CHECK_THROWS_AS(metrics::max_slope_step(vector{1}), shape_error);
    CHECK_THROWS_AS(metrics::area_under_plateau(curve, GENERATE(-1, 6), 1), shape_error);
}

TEST_CASE("the Lipschitz ratio is 1 on a line and that of the slopes on a bent one", "[metrics][lipschitz_ratio]") {
    CHECK_THAT(metrics::lipschitz_ratio(even(50)), testing::WithinRel(1, 1e-12));
    vector bent;
    for (int i = 0; i < 50; ++i) bent.push_back(i < 30 ? i : 30 + 7.0 * (i - 30));
    CHECK_THAT(metrics::lipschitz_ratio(bent), testing::WithinRel(7, 1e-12));
    CHECK_THAT(metrics::lipschitz_ratio(vector{0, 1, 3}), testing::WithinRel(2 / 1.5, 1e-12));  // fewer than ten steps
    CHECK_THAT(metrics::lipschitz_ratio(vector{0, 1, 3}, 1), testing::WithinRel(2, 1e-12));
    CHECK(std::isnan(metrics::lipschitz_ratio(vector{1, 1, 1})));
    CHECK(std::isnan(metrics::lipschitz_ratio(vector{1, NAN, 1})));
    CHECK_THROWS_AS(metrics::lipschitz_ratio(vector{1}), shape_error);
    CHECK_THROWS_AS(metrics::lipschitz_ratio(bent, 0), shape_error);
}

TEST_CASE("the arc of a ReLU network sampled at its breakpoints is the exact one", "[metrics][cumulative_arc]") {
    testing::relu_net const net{{4, 16, 16, 7}, GENERATE(1u, 50u)};
    auto const a = testing::random_vector<double>(4, 3), b = testing::random_vector<double>(4, 4);
    auto const line = net.restrict_to(a, b);
    auto const rows_at = [&](vector const& places) {
        tensor::buffer<double, 2> rows({static_cast<index>(places.size()), 7});
        for (std::size_t k = 0; k < places.size(); ++k) {
            vector x;
            for (std::size_t i = 0; i < a.size(); ++i) x.push_back((1 - places[k]) * a[i] + places[k] * b[i]);
            auto const y = net(x);
            std::copy(y.begin(), y.end(), rows[static_cast<index>(k)].data());
        }
        return rows;
    };
    auto const sum = [](vector const& steps) {
        double total = 0;
        for (double s : steps) total += s;
        return total;
    };
    auto const exact_rows = rows_at(line.alpha);
    auto const exact = metrics::step_lengths<double>(exact_rows);
    auto refined = line.alpha;  // more points between breakpoints add no length
    for (double place : even(200)) refined.push_back(place);
    std::sort(refined.begin(), refined.end());
    auto const refined_rows = rows_at(refined), coarse_rows = rows_at(even(10));
    CHECK_THAT(sum(metrics::step_lengths<double>(refined_rows)), testing::WithinRel(sum(exact), 1e-12));
    CHECK(sum(metrics::step_lengths<double>(coarse_rows)) <= sum(exact) * (1 + 1e-12));
    auto const arc = metrics::cumulative_arc(exact);
    CHECK(arc.front() == 0);
    CHECK(arc.back() == 1);
    for (std::size_t k = 1; k < arc.size(); ++k) REQUIRE(arc[k] >= arc[k - 1]);
}

TEST_CASE("sums of an arc are compensated", "[metrics][cumulative_arc]") {
    vector steps{1};
    steps.insert(steps.end(), 1000, 1e-17);
    auto const arc = metrics::cumulative_arc(steps);
    CHECK_THAT(1 - arc[1], testing::WithinRel(1e-14, 0.02));
    for (double value : metrics::cumulative_arc(vector{0, 0})) CHECK(std::isnan(value));
    for (double value : metrics::cumulative_arc(vector{1, NAN})) CHECK(std::isnan(value));
    CHECK_THROWS_AS(metrics::cumulative_arc(vector{}), shape_error);
    CHECK_THROWS_AS(metrics::step_lengths<double>(tensor::buffer<double, 2>({0, 3})), shape_error);
}

TEST_CASE("planted jumps and the plateaus between them are found", "[metrics][jumps]") {
    auto const alpha = even(401);
    vector curve;
    auto const rise = [](double a, double centre, double height) {
        return height / (1 + std::exp(-(a - centre) / 0.005));
    };
    for (double a : alpha) curve.push_back(rise(a, 0.2, 0.5) + rise(a, 0.55, 0.3) - rise(a, 0.8, 0.1) + 0.05 * a);
    auto const jumps = metrics::find_jumps(alpha, curve);
    REQUIRE(jumps.size() == 3);
    CHECK_THAT(jumps[0].place, testing::WithinAbs(0.2, 1e-3));
    CHECK_THAT(jumps[1].place, testing::WithinAbs(0.55, 1e-3));
    CHECK_THAT(jumps[2].place, testing::WithinAbs(0.8, 1e-3));
    CHECK_THAT(jumps[0].height, testing::WithinAbs(0.5, 0.03));
    CHECK_THAT(jumps[1].height, testing::WithinAbs(0.3, 0.03));
    CHECK_THAT(jumps[2].height, testing::WithinAbs(-0.1, 0.02));
    auto const plateaus = metrics::sub_plateaus(alpha, curve, jumps);
    REQUIRE(plateaus.size() == 2);
    CHECK_THAT(plateaus[0].level, testing::WithinAbs(0.5 + 0.05 * 0.375, 0.01));
    CHECK_THAT(plateaus[0].width, testing::WithinAbs(0.35, 0.06));
    CHECK(plateaus[0].flatness < 0.5);
    CHECK(metrics::find_jumps(alpha, curve, {.height = 0.2}).size() == 2);
    CHECK(metrics::find_jumps(alpha, curve, {.steepness = 1000}).empty());
}

TEST_CASE("a ramp between two jumps is no flat plateau", "[metrics][jumps]") {
    auto const alpha = even(101);
    vector curve;
    for (double a : alpha) curve.push_back(0.9 * a + (a > 0.295 ? 0.2 : 0) + (a > 0.705 ? 0.2 : 0));
    auto const jumps = metrics::find_jumps(alpha, curve);
    REQUIRE(jumps.size() == 2);
    auto const between = metrics::sub_plateaus(alpha, curve, jumps);
    REQUIRE(between.size() == 1);
    CHECK_THAT(between[0].flatness, testing::WithinAbs(0.9 / 1.3, 1e-9));
    CHECK_THAT(jumps[0].height, testing::WithinAbs(0.209, 1e-9));
}

TEST_CASE("curves without jumps have none", "[metrics][jumps]") {
    CHECK(metrics::find_jumps(even(50), even(50)).empty());
    CHECK(metrics::find_jumps(even(3), vector{1, 1, 1}).empty());
    CHECK(metrics::find_jumps(even(3), vector{1, NAN, 1}).empty());
    CHECK(metrics::sub_plateaus(even(3), vector{1, 1, 1}, {}).empty());
    CHECK_THROWS_AS(metrics::find_jumps(vector{0, 0, 1}, vector{0, 1, 2}), domain_error);
}

TEST_CASE("runs of labels, and third ones that persist", "[metrics][label_runs]") {
    std::vector<token_id> const labels{4, 4, 4, 9, 4, 7, 7, 7, 2, 2};
    auto const runs = metrics::runs_of<token_id>(labels);
    REQUIRE(runs.size() == 5);
    CHECK(runs[0].count == 3);
    CHECK(runs[3].label == 7);
    CHECK(runs[3].first == 5);
    auto const thirds = metrics::third_runs<token_id>(labels, 2);
    REQUIRE(thirds.size() == 1);
    CHECK(thirds[0].label == 7);
    CHECK(metrics::third_runs<token_id>(labels, 1).size() == 2);
    CHECK(metrics::runs_of<token_id>({}).empty());
    CHECK(metrics::third_runs<token_id>({}, 1).empty());
}

}  // namespace
