#include <plateau/metrics/max_slope.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::metrics::max_slope;

double const nan_value = std::numeric_limits<double>::quiet_NaN();

/// r(α) = (σ((α − c)/w) − σ(−c/w)) / (σ((1 − c)/w) − σ(−c/w)) at S even points.
std::vector<double> logistic_curve(int points, double centre, double width) {
    auto const sigmoid = [&](double alpha) { return 1 / (1 + std::exp(-(alpha - centre) / width)); };
    std::vector<double> curve;
    for (int i = 0; i < points; ++i) {
        double const alpha = static_cast<double>(i) / (points - 1);
        curve.push_back((sigmoid(alpha) - sigmoid(0)) / (sigmoid(1) - sigmoid(0)));
    }
    return curve;
}

TEST_CASE("a planted boundary is found, where it is and as sharp as it is", "[metrics][max_slope]") {
    int const points = GENERATE(33, 50, 129, 500);
    double const centre = GENERATE(0.2, 0.37, 0.5, 0.81);
    double const width = GENERATE(0.001, 0.01, 0.05);
    CAPTURE(points, centre, width);
    auto const found = max_slope(logistic_curve(points, centre, width));
    double const step = 1.0 / (points - 1);
    CHECK(std::abs(found.alpha - centre) <= step);
    // the mean slope over the steepest step: between that of a step half a step aside and the peak 1 / (4 w)
    double const peak =
        1 / (4 * width) / (1 / (1 + std::exp(-(1 - centre) / width)) - 1 / (1 + std::exp(centre / width)));
    CHECK(found.value <= peak * (1 + 1e-9));
    CHECK(found.value <= (points - 1) * (1 + 1e-12));
    double const mean = std::tanh(step / (4 * width)) / step;  // of a step centred on the boundary, before normalising
    CHECK(found.value >= 0.49 * mean);
    if (width > 2 * step) CHECK_THAT(found.value, testing::WithinRel(peak, 0.05));
}

TEST_CASE("a straight curve has slope 1 everywhere", "[metrics][max_slope]") {
    int const points = GENERATE(2, 7, 32, 65, 129);
    std::vector<double> curve;
    for (int i = 0; i < points; ++i) curve.push_back(static_cast<double>(i) / (points - 1));
    CHECK_THAT(max_slope(curve).value, testing::WithinRel(1, 1e-13));
}

TEST_CASE("a single step has the slope of the grid, at its centre", "[metrics][max_slope]") {
    int const points = GENERATE(2, 7, 32, 65, 129);
    for (int jump = 0; jump + 1 < points; ++jump) {
        std::vector<double> curve(static_cast<std::size_t>(points), 0.0);
        std::fill(curve.begin() + jump + 1, curve.end(), 1.0);
        auto const found = max_slope(curve);
        REQUIRE(found.value == points - 1);
        REQUIRE(found.alpha == (jump + 0.5) / (points - 1));
    }
}

TEST_CASE("slopes are signed: a drop does not count", "[metrics][max_slope]") {
    auto const found = max_slope(std::vector{0.0, 5.0, 1.0, 1.5, 9.0, 1.0});
    CHECK(found.value == 7.5 * 5);
    CHECK(found.alpha == 3.5 / 5);
    CHECK(max_slope(std::vector{3.0, 2.0, 0.0}).value == -2);  // the least steep descent
    CHECK(max_slope(std::vector{3.0, 2.0, 0.0}).alpha == 0.25);
}

TEST_CASE("of equal steps the first counts", "[metrics][max_slope]") {
    CHECK(max_slope(std::vector{0.0, 1.0, 1.0, 2.0, 3.0}).alpha == 0.125);
    CHECK(max_slope(std::vector{4.0, 4.0, 4.0}).alpha == 0.25);
    CHECK(max_slope(std::vector{4.0, 4.0, 4.0}).value == 0);
}

TEST_CASE("the slope is Janiak's: the largest difference times the number of steps", "[metrics][max_slope]") {
    auto const curve = testing::random_vector<double>(50, GENERATE(1u, 2u, 3u));
    double largest = -1e300;
    for (std::size_t i = 1; i < curve.size(); ++i) largest = std::max(largest, curve[i] - curve[i - 1]);
    auto const found = max_slope(curve);
    CHECK(found.value == largest * 49);
    auto const step = static_cast<std::size_t>(found.alpha * 49);
    CHECK(curve[step + 1] - curve[step] == largest);
}

TEST_CASE("a NaN makes the slope a NaN, wherever it is", "[metrics][max_slope]") {
    for (std::size_t at = 0; at < 7; ++at) {
        std::vector<double> curve(7, 1.0);
        curve[at] = std::numeric_limits<double>::quiet_NaN();
        auto const found = max_slope(curve);
        REQUIRE(std::isnan(found.value));
        REQUIRE(std::isnan(found.alpha));
    }
}

TEST_CASE("absolute slopes: a fall counts as much as a rise", "[metrics][max_slope]") {
    using metrics::max_absolute_slope;
    auto const fall = max_absolute_slope(std::vector{0.0, 5.0, 1.0, 1.5, 9.0, 1.0});
    CHECK(fall.value == 8 * 5);
    CHECK(fall.alpha == 4.5 / 5);
    CHECK(max_absolute_slope(std::vector{3.0, 2.0, 0.0}).value == 4);
    CHECK(max_absolute_slope(std::vector{0.0, 1.0, 0.0}).alpha == 0.25);  // of equal steps the first
    CHECK(max_absolute_slope(std::vector{0.0, -1.0, 0.0}).alpha == 0.25);
    CHECK(max_absolute_slope(std::vector{4.0, 4.0}).value == 0);
    CHECK(std::isnan(max_absolute_slope(std::vector{0.0, nan_value, 1.0}).value));
    CHECK_THROWS_AS(max_absolute_slope(std::vector{1.0}), shape_error);
}

TEST_CASE("a slope that is the grid's says so", "[metrics][max_slope]") {
    using metrics::slope_saturation;
    int const points = GENERATE(30, 50);
    CHECK_THAT(slope_saturation(logistic_curve(points, 0.37, 1e-4)), testing::WithinAbs(1, 1e-9));
    CHECK(slope_saturation(logistic_curve(points, 0.37, 0.1)) < 0.15);
    std::vector<double> falling{1, 1, 0, 0};
    CHECK(slope_saturation(falling) == 1);
    CHECK(std::isnan(slope_saturation(std::vector{2.0, 2.0})));
    CHECK(std::isnan(slope_saturation(std::vector{2.0, nan_value, 3.0})));
    CHECK_THROWS_AS(slope_saturation(std::vector{1.0}), shape_error);
}

TEST_CASE("fewer than two points are an error", "[metrics][max_slope]") {
    CHECK_THROWS_AS(max_slope({}), shape_error);
    CHECK_THROWS_AS(max_slope(std::vector{1.0}), shape_error);
}

}  // namespace
