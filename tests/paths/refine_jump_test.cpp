#include <plateau/paths/refine_crossing.hpp>
#include <plateau/paths/refine_jump.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/toy_models.hpp"

#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/linear.hpp>

namespace {

using namespace plateau;
using paths::refine_crossing;
using paths::refine_jump;
using plateau::index;

TEST_CASE("a planted step is located to 1e-6 with at most 40 evaluations", "[paths][refine_jump]") {
    counter_rng rng{GENERATE(range(0u, 50u))};
    double const place = rng.uniform(), height = 0.1 + rng.uniform();
    index calls = 0;
    auto const found = refine_jump([&](double t) {
        ++calls;
        return (t > place ? height : 0) + 0.03 * std::sin(7 * t);  // the rest varies, by less than half of the step
    });
    CHECK(std::abs(found.place - place) <= found.error);
    CHECK(found.error <= 1e-6);
    CHECK(found.evaluations == calls);
    CHECK(calls <= 40);
    CHECK_FALSE(found.resolved);  // a step is sharper than any grid
    CHECK_THAT(found.change, testing::WithinAbs(height, 1e-5));
    CHECK(found.coarse_slope <= (1 + 0.07 + height) * 16);
}

TEST_CASE("a smooth transition is resolved: its slope is the slope, whatever the tolerance", "[paths][refine_jump]") {
    double const width = GENERATE(0.001, 0.004, 0.03), centre = GENERATE(0.2, 0.437, 0.9);
    auto const logistic = [&](double t) { return 1 / (1 + std::exp(-(t - centre) / width)); };
    auto const found = refine_jump(logistic, {.tolerance = width / 64});
    CHECK(found.resolved);
    CHECK_THAT(found.slope, testing::WithinRel(1 / (4 * width), 0.02));
    CHECK(std::abs(found.place - centre) <= width / 2);
    std::vector<double> curve;
    for (double t : paths::even_grid(0, 1, 50)) curve.push_back(logistic(t));
    CHECK(found.slope > metrics::max_slope(curve).value * 0.999);
    if (width < 0.002) CHECK(metrics::max_slope(curve).value < 0.5 * found.slope);  // saturated at 49
}

TEST_CASE("the boundary of the double well is found along a line of activations", "[paths][refine_jump]") {
    index const width = GENERATE(2, 33);
    testing::double_well const model{width, 5};
    auto const noise = testing::random_vector<double>(width, GENERATE(6u, 7u, 8u), 0.2);
    std::vector<double> a(noise), b(noise.size()), x(noise.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] -= 0.9 * model.u[i];
        b[i] = 2.1 * model.u[i] - noise[i];
    }
    paths::linear<double> const line{a, b};
    auto const start = model(std::span<double const>{a});
    auto const distance = [&](double t) {
        line(t, x);
        return metrics::l2_distance<double>(model(std::span<double const>{x}), start);
    };
    auto const found = refine_jump(distance);
    double const expected = model.boundary(std::span<double const>{a}, std::span<double const>{b});
    CHECK(std::abs(found.place - expected) <= 1e-6);
    CHECK(found.evaluations <= 40);
    double const slope =
        model.slope_at_boundary() * (model.side(std::span<double const>{b}) - model.side(std::span<double const>{a}));
    CHECK(found.slope <= slope * (1 + 1e-9));
    auto const finer = refine_jump(distance, {.tolerance = 0.02 / slope});
    CHECK(finer.resolved);
    CHECK_THAT(finer.slope, testing::WithinRel(slope, 0.01));
    auto const half = refine_crossing(distance, distance(1) / 2);
    CHECK(std::abs(half.place - expected) <= 1e-6 + half.error);
}

TEST_CASE("along a ReLU network the slope found is that of an exact piece, and with a fine grid the steepest",
          "[paths][refine_jump]") {
    testing::relu_net const net{{5, 24, 24, 1}, GENERATE(1u, 100u, 200u)};
    auto const a = testing::random_vector<double>(5, 3), b = testing::random_vector<double>(5, 4);
    auto const line = net.restrict_to(a, b);
    REQUIRE(line.alpha.size() > 5);
    paths::linear<double> const path{a, b};
    std::vector<double> x(5);
    auto const f = [&](double t) {
        path(t, x);
        return net(x)[0];
    };
    std::size_t steepest = 0;
    double slope_of_steepest = 0, longest_steep = 0;
    for (std::size_t k = 0; k + 1 < line.alpha.size(); ++k) {
        REQUIRE_THAT(f(line.alpha[k]), testing::WithinAbs(line.outputs[k][0], 1e-12));
        double const middle = (line.alpha[k] + line.alpha[k + 1]) / 2;  // linear in between
        REQUIRE_THAT(f(middle), testing::WithinAbs((line.outputs[k][0] + line.outputs[k + 1][0]) / 2, 1e-12));
        double const length = line.alpha[k + 1] - line.alpha[k];
        if (length < 1e-9) continue;
        double const slope = std::abs(line.outputs[k + 1][0] - line.outputs[k][0]) / length;
        if (slope > slope_of_steepest) steepest = k, slope_of_steepest = slope, longest_steep = length;
    }
    auto const found = refine_jump(
        f, {.coarse = static_cast<index>(3 / longest_steep) + 2, .tolerance = longest_steep / 1000, .absolute = true});
    CHECK(found.resolved);
    CHECK(found.place >= line.alpha[steepest]);
    CHECK(found.place <= line.alpha[steepest + 1]);
    CHECK_THAT(std::abs(found.slope), testing::WithinRel(slope_of_steepest, 1e-6));
}

TEST_CASE("increases alone count, unless asked otherwise", "[paths][refine_jump]") {
    auto const fall_and_rise = [](double t) { return (t > 0.3 ? -2.0 : 0.0) + (t > 0.7 ? 1.0 : 0.0); };
    CHECK_THAT(refine_jump(fall_and_rise).place, testing::WithinAbs(0.7, 1e-6));
    auto const largest = refine_jump(fall_and_rise, {.absolute = true});
    CHECK_THAT(largest.place, testing::WithinAbs(0.3, 1e-6));
    CHECK(largest.change == -2);
}

TEST_CASE("points of a round are asked for together, and give the same place", "[paths][refine_jump]") {
    index const per_round = GENERATE(1, 3, 15);
    std::vector<std::size_t> rounds;
    auto const found = refine_jump(
        [&](std::span<double const> places, std::span<double> values) {
        rounds.push_back(places.size());
        for (std::size_t i = 0; i < places.size(); ++i) values[i] = places[i] > 0.123456789 ? 1 : 0;
        },
        {.per_round = per_round});
    CHECK(std::abs(found.place - 0.123456789) <= found.error);
    CHECK(found.error <= 1e-6);
    CHECK(rounds[0] == 17);  // the coarse grid at once
    CHECK(rounds[1] == static_cast<std::size_t>(per_round));
}

TEST_CASE("the search ends where numbers or the function's precision end", "[paths][refine_jump]") {
    auto const step = [](double t) { return t > 0.5 ? 1.0 : 0.0; };
    auto const exact = refine_jump(step, {.tolerance = 1e-300});
    CHECK(std::abs(exact.place - 0.5) <= exact.error);
    CHECK(exact.error <= 1.2e-16);
    auto const noisy = [](double t) { return 0.1 * t + 1e-5 * std::sin(1e9 * t); };
    auto const found = refine_jump(noisy, {.noise = 1e-4});
    CHECK(found.error > 1e-4);  // halves that differ by noise alone are not told apart
    auto const range = refine_jump(step, {.first = -3, .last = 9, .coarse = 5});
    CHECK(std::abs(range.place - 0.5) <= range.error);
}

TEST_CASE("a search that is driven by hand finds what refine_jump finds, and refuses what it did not ask for",
          "[paths][refine_jump]") {
    auto const f = [](double t) { return std::tanh(90 * (t - 0.3217)); };
    paths::refine_options const options{.coarse = 9, .tolerance = 1e-4, .per_round = 3};
    paths::jump_search search{options};
    CHECK(search.wanted() == paths::even_grid(0, 1, 9));
    CHECK_THROWS_AS(search.give(std::vector<double>(8)), shape_error);
    CHECK_THROWS_AS(search.give(std::vector<double>(9, NAN)), numeric_error);
    while (!search.wanted().empty()) {
        std::vector<double> values;
        for (double const t : search.wanted()) values.push_back(f(t));
        search.give(values);
    }
    auto const by_hand = search.result(), found = refine_jump(f, options);
    CHECK(by_hand.place == found.place);
    CHECK(by_hand.slope == found.slope);
    CHECK(by_hand.evaluations == found.evaluations);
    CHECK(std::abs(found.place - 0.3217) < 0.002);
    CHECK(found.error <= 1e-4);
}

TEST_CASE("a constant function has a slope of zero", "[paths][refine_jump]") {
    auto const found = refine_jump([](double) { return 4.0; });
    CHECK(found.slope == 0);
    CHECK(found.resolved);
}

TEST_CASE("a crossing is bracketed", "[paths][refine_crossing]") {
    auto const rising = [](double t) { return t * t * t; };
    double const level = GENERATE(0.001, 0.3, 0.999);
    index const per_round = GENERATE(1, 3);
    auto const found = refine_crossing(rising, level, {.tolerance = 1e-9, .per_round = per_round});
    CHECK(std::abs(found.place - std::cbrt(level)) <= found.error);
    CHECK(found.error <= 1e-9);
    auto const falling = refine_crossing([&](double t) { return -rising(t); }, -level, {.tolerance = 1e-9});
    CHECK_THAT(falling.place, testing::WithinAbs(found.place, 2e-9));
    CHECK(refine_crossing(rising, 1).place == 1);
    CHECK(refine_crossing(rising, 0).error == 0);
    CHECK(refine_crossing(rising, level).evaluations <= 40);
    auto const exact = refine_crossing([](double t) { return t > 0.25 ? 1.0 : -1.0; }, 0, {.tolerance = 1e-300});
    CHECK(std::abs(exact.place - 0.25) <= exact.error);
}

TEST_CASE("wrong requests are errors", "[paths][refine_jump]") {
    auto const step = [](double t) { return t > 0.5 ? 1.0 : 0.0; };
    CHECK_THROWS_AS(refine_jump(step, {.coarse = 1}), usage_error);
    CHECK_THROWS_AS(refine_jump(step, {.per_round = 0}), usage_error);
    CHECK_THROWS_AS(refine_jump(step, {.tolerance = 0}), usage_error);
    CHECK_THROWS_AS(refine_jump(step, {.tolerance = NAN}), usage_error);
    CHECK_THROWS_AS(refine_jump(step, {.first = 1, .last = 1}), usage_error);
    CHECK_THROWS_AS(refine_jump(step, {.last = INFINITY}), usage_error);
    CHECK_THROWS_WITH(refine_jump([](double t) { return t > 0.4 ? NAN : 0.0; }), testing::contains("no number at"));
    CHECK_THROWS_AS(refine_crossing(step, 2), domain_error);
    CHECK_THROWS_WITH(refine_crossing(step, -1), testing::contains("above the level"));
    CHECK_THROWS_AS(refine_crossing([](double) { return NAN; }, 0), numeric_error);
    CHECK_THROWS_AS(refine_crossing(step, 0.5, {.last = -1}), usage_error);
}

}  // namespace
