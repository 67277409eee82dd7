#include <plateau/metrics/isotonic_fit.hpp>
#include <plateau/metrics/sampled_curve.hpp>
#include <plateau/metrics/transition.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;
using metrics::isotonic_fit;
using metrics::transition_of;

vector even(int points) {
    vector alpha;
    for (int i = 0; i < points; ++i) alpha.push_back(static_cast<double>(i) / (points - 1));
    return alpha;
}

template <class F>
vector curve_of(vector const& alpha, F const& f) {
    vector curve;
    for (double a : alpha) curve.push_back(f(a));
    return curve;
}

TEST_CASE("a fit never falls, keeps the mean, and is its own fit", "[metrics][isotonic_fit]") {
    index const size = GENERATE(0, 1, 2, 7, 32, 129);
    auto const curve = testing::random_vector<double>(size, GENERATE(1u, 2u));
    auto const fit = isotonic_fit(curve);
    REQUIRE(fit.size() == curve.size());
    double difference = 0;
    for (std::size_t i = 0; i < fit.size(); ++i) {
        if (i > 0) REQUIRE(fit[i] >= fit[i - 1]);
        difference += fit[i] - curve[i];
    }
    CHECK_THAT(difference, testing::WithinAbs(0, 1e-12));
    auto const again = isotonic_fit(fit);
    for (std::size_t i = 0; i < fit.size(); ++i) REQUIRE_THAT(again[i], testing::WithinAbs(fit[i], 1e-14));
}

TEST_CASE("rising curves stay, falling ones become their mean, weights weigh", "[metrics][isotonic_fit]") {
    CHECK(isotonic_fit(vector{1, 2, 2, 5}) == vector{1, 2, 2, 5});
    CHECK(isotonic_fit(vector{3, 2, 1}) == vector{2, 2, 2});
    CHECK(isotonic_fit(vector{3, 1}, vector{3, 1}) == vector{2.5, 2.5});
    CHECK(isotonic_fit(vector{1, 1, 1}) == vector{1, 1, 1});
    for (double value : isotonic_fit(vector{1, NAN, 2})) CHECK(std::isnan(value));
    CHECK_THROWS_AS(isotonic_fit(vector{1, 2}, vector{1}), shape_error);
    CHECK_THROWS_AS(isotonic_fit(vector{1, 2}, vector{1, GENERATE(0.0, -1.0, static_cast<double>(NAN),
                                                                  static_cast<double>(INFINITY))}),
                    domain_error);
}

TEST_CASE("values and places of a curve", "[metrics][sampled_curve]") {
    vector const alpha{0, 1, 3}, curve{0, 2, 6};
    CHECK(metrics::value_at(alpha, curve, 0.5) == 1);
    CHECK(metrics::value_at(alpha, curve, 2) == 4);
    CHECK(metrics::value_at(alpha, curve, -1) == 0);
    CHECK(metrics::value_at(alpha, curve, 3) == 6);
    CHECK(metrics::first_place_at(alpha, curve, 4) == 2);
    CHECK(metrics::first_place_at(alpha, curve, -1) == 0);
    CHECK(metrics::first_place_at(alpha, curve, 6) == 3);
    CHECK(std::isnan(metrics::first_place_at(alpha, curve, 7)));
    CHECK_THROWS_AS(metrics::require_curve(alpha, vector{1, 2}), shape_error);
    CHECK_THROWS_AS(metrics::require_curve(vector{1}, vector{1}), shape_error);
    CHECK_THROWS_WITH(metrics::require_curve(vector{0, 2, 2}, curve), testing::contains("1 and 2"));
    CHECK_THROWS_AS(metrics::require_curve(vector{0, NAN, 2}, curve), domain_error);
}

TEST_CASE("a straight line has a width of 0.8, a step none", "[metrics][transition]") {
    auto const alpha = even(GENERATE(3, 50, 129));
    auto const line = transition_of(alpha, alpha);
    CHECK_THAT(line.width, testing::WithinAbs(0.8, 1e-14));
    CHECK_THAT(line.half, testing::WithinAbs(0.5, 1e-14));
    CHECK_THAT(transition_of(alpha, alpha, 0.05).width, testing::WithinAbs(0.9, 1e-14));
    auto const step = transition_of(alpha, curve_of(alpha, [](double a) { return a > 0.4 ? 1.0 : 0.0; }));
    double const grid = alpha[1];
    CHECK_THAT(step.width, testing::WithinAbs(0.8 * grid, 1e-14));
    CHECK(std::abs(step.half - 0.4) <= grid);
}

TEST_CASE("a planted logistic transition has its width and middle", "[metrics][transition]") {
    double const width = GENERATE(0.01, 0.03), centre = GENERATE(0.3, 0.55);
    double const nu = GENERATE(0.05, 0.1);
    auto const alpha = even(1001);
    auto const found =
        transition_of(alpha, curve_of(alpha, [&](double a) { return 1 / (1 + std::exp(-(a - centre) / width)); }), nu);
    CHECK_THAT(found.width, testing::WithinRel(2 * width * std::log((1 - nu) / nu), 2e-3));
    CHECK_THAT(found.half, testing::WithinAbs(centre, 1e-4));
    CHECK_THAT(found.end - found.begin, testing::WithinAbs(found.width, 1e-15));
}

TEST_CASE("uneven places and curves that fall back are no trouble", "[metrics][transition]") {
    vector const alpha{0, 0.1, 0.2, 0.3, 0.9, 1}, curve{0, 0.3, 0.1, 0.2, 0.8, 1};  // fit 0, 0.2, 0.2, 0.2, 0.8, 1
    auto const found = transition_of(alpha, curve);
    CHECK_THAT(found.begin, testing::WithinAbs(0.05, 1e-15));
    CHECK_THAT(found.half, testing::WithinAbs(0.6, 1e-15));
    CHECK_THAT(found.end, testing::WithinAbs(0.95, 1e-15));
}

TEST_CASE("curves without a transition have none", "[metrics][transition]") {
    vector const alpha{0, 0.5, 1};
    auto const constant = transition_of(alpha, vector{0, 0, 0});
    CHECK((std::isnan(constant.begin) && std::isnan(constant.half) && std::isnan(constant.width)));
    auto const partial = transition_of(alpha, vector{0, 0.3, 0.6});
    CHECK(partial.half > 0.5);
    CHECK(std::isnan(partial.end));
    CHECK(std::isnan(partial.width));
    auto const broken = transition_of(alpha, vector{0, NAN, 1});
    CHECK((std::isnan(broken.begin) && std::isnan(broken.half) && std::isnan(broken.end)));
    CHECK_THROWS_AS(transition_of(alpha, vector{0, 1, 2}, GENERATE(0.0, 0.5, -1.0, static_cast<double>(NAN))),
                    domain_error);
    CHECK_THROWS_AS(transition_of(vector{0, 1, 0.5}, vector{0, 1, 2}), domain_error);
    CHECK_THROWS_AS(transition_of(alpha, vector{0, 1}), shape_error);
}

TEST_CASE("plateaus are found where they are", "[metrics][transition]") {
    auto const alpha = even(51);
    auto const logistic = [&](double centre) {
        return curve_of(alpha, [=](double a) { return 1 / (1 + std::exp(-(a - centre) / 0.02)); });
    };
    CHECK(metrics::has_plateaus(logistic(0.5)));
    CHECK(metrics::has_plateaus(logistic(0.3)));
    CHECK_FALSE(metrics::has_plateaus(logistic(0.1)));  // too little at the beginning
    CHECK(metrics::has_plateaus(logistic(0.1), {.share = 0.05}));
    CHECK_FALSE(metrics::has_plateaus(alpha));  // a tenth of a line is within a tenth
    auto overshoot = logistic(0.5);
    overshoot[30] += 0.3;
    CHECK_FALSE(metrics::has_plateaus(overshoot));
    CHECK(metrics::has_plateaus(overshoot, {.deviation = 0.4}));
    CHECK_FALSE(metrics::has_plateaus(vector{0, NAN, 1}));
    CHECK_FALSE(metrics::has_plateaus(vector(50, 0.0)));
    CHECK_THROWS_AS(metrics::has_plateaus(vector{}), shape_error);
}

TEST_CASE("edges drift by their share of a line, and hardly on plateaus", "[metrics][transition]") {
    auto const alpha = even(50);  // 0.2 is between points
    auto const line = metrics::edge_drift_of(alpha, alpha);
    CHECK_THAT(line.begin, testing::WithinAbs(0.2, 1e-15));
    CHECK_THAT(line.end, testing::WithinAbs(0.2, 1e-15));
    auto const flat = metrics::edge_drift_of(alpha, curve_of(alpha, [](double a) { return a > 0.5 ? 1.0 : 0.0; }));
    CHECK(flat.begin == 0);
    CHECK(flat.end == 0);
    CHECK(std::isnan(metrics::edge_drift_of(vector{0, 1}, vector{NAN, 1}).begin));
    CHECK_THROWS_AS(metrics::edge_drift_of(alpha, alpha, 1.5), domain_error);
    CHECK_THROWS_AS(metrics::edge_drift_of(alpha, vector{1}), shape_error);
}

}  // namespace
