#include <plateau/metrics/landmarks.hpp>

#include <cmath>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using metrics::fastest_step;
using metrics::inner_maximum;
using metrics::ridge_of;
using testing::WithinAbs;

double const nan_value = std::numeric_limits<double>::quiet_NaN();

/// f at `points` even places from 0 to 1.
template <class F>
std::vector<double> sampled(int points, F f) {
    std::vector<double> values;
    for (int i = 0; i < points; ++i) values.push_back(f(static_cast<double>(i) / (points - 1)));
    return values;
}

TEST_CASE("a planted ridge is found on any slope, between points too", "[metrics][landmarks]") {
    double const centre = GENERATE(0.31, 0.5, 0.777), slope = GENERATE(-3.0, 0.0, 2.0);
    // above the line between its ends by what is zero there: a parabola is found exactly
    auto const hill = [&](double t) { return 1 - (t - centre) * (t - centre); };
    auto const curve = sampled(23, [&](double t) { return hill(t) + slope * t; });
    auto const line = [&](double t) { return (1 - t) * hill(0) + t * hill(1); };
    auto const found = ridge_of(curve);
    CHECK_THAT(found.place, WithinAbs(0.5, 1e-12));  // of a parabola above its chord
    CHECK_THAT(found.height, WithinAbs(hill(0.5) - line(0.5), 1e-12));
    auto const peak = inner_maximum(sampled(23, hill));
    CHECK_THAT(peak.place, WithinAbs(centre, 1e-12));
    CHECK_THAT(peak.height, WithinAbs(1, 1e-12));
    auto const jump = fastest_step(sampled(201, [&](double t) { return std::tanh(20 * (t - centre)) + slope * t; }));
    if (slope >= 0) CHECK_THAT(jump.place, WithinAbs(centre, 1e-3));
}

TEST_CASE("where there is no landmark nothing is told", "[metrics][landmarks]") {
    auto const none = [](metrics::landmark const& one) { return std::isnan(one.place) && std::isnan(one.height); };
    CHECK(none(ridge_of(sampled(9, [](double t) { return t * t; }))));  // below its chord
    CHECK(none(ridge_of(std::vector{1.0, 1.0, 1.0})));
    CHECK(none(ridge_of(std::vector{1.0, 2.0})));
    CHECK(none(inner_maximum(sampled(9, [](double t) { return t; }))));
    CHECK(none(inner_maximum(std::vector{2.0, 1.0, 2.0})));
    CHECK(none(fastest_step(std::vector{1.0, 1.0, 1.0})));
    CHECK(none(ridge_of(std::vector{0.0, nan_value, 0.0})));
    CHECK(none(inner_maximum(std::vector{0.0, 2.0, 1.0, nan_value, 0.0})));
    CHECK(none(fastest_step(std::vector{0.0, nan_value, 0.0})));
    CHECK_THROWS_AS(ridge_of(std::vector{1.0}), shape_error);
    CHECK_THROWS_AS(inner_maximum(std::vector<double>{}), shape_error);
    CHECK_THROWS_AS(fastest_step(std::vector{1.0}), shape_error);
}

TEST_CASE("a step at an end is where it is", "[metrics][landmarks]") {
    auto const found = fastest_step(std::vector{0.0, 1.0, 1.1, 1.2, 1.3});
    CHECK(found.place == 0.125);
    CHECK(found.height == 1);
}

}  // namespace
