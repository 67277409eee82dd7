#include <plateau/metrics/switch_concentration.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/paths/grid.hpp>

namespace {

using plateau::index;
using plateau::metrics::switch_concentration_of;
using plateau::testing::WithinAbs;
using vector = std::vector<double>;

/// Over an even grid of S points.
template <class Curve>
vector sampled(vector const& alpha, Curve const& curve) {
    vector values;
    for (double const a : alpha) values.push_back(curve(a));
    return values;
}

TEST_CASE("a straight line is spread evenly, a step is in one place", "[metrics][concentration]") {
    for (index const points : {2, 3, 11, 50, 101}) {
        CAPTURE(points);
        auto const alpha = plateau::paths::even_grid(0, 1, points);
        auto const line = switch_concentration_of(alpha, alpha);
        CHECK_THAT(line.gain, WithinAbs(1, 1e-12));
        CHECK_THAT(line.flanks, WithinAbs(0.4, 1e-12));
        CHECK_THAT(line.window, WithinAbs(0.2, 1e-12));
    }
    auto const alpha = plateau::paths::even_grid(0, 1, 51);
    auto const middle = sampled(alpha, [](double a) { return a < 0.49 ? 0.0 : 1.0; }),
               early = sampled(alpha, [](double a) { return a < 0.11 ? 2.0 : -7.0; });
    auto const of_middle = switch_concentration_of(alpha, middle), of_early = switch_concentration_of(alpha, early);
    CHECK_THAT(of_middle.gain, WithinAbs(5, 1e-12));
    CHECK_THAT(of_middle.flanks, WithinAbs(0, 1e-12));
    CHECK_THAT(of_middle.window, WithinAbs(1, 1e-12));
    CHECK_THAT(of_early.gain, WithinAbs(0, 1e-12));
    CHECK_THAT(of_early.flanks, WithinAbs(1, 1e-12));
    CHECK_THAT(of_early.window, WithinAbs(1, 1e-12));
}

TEST_CASE("the fullest window lies anywhere, between points of the grid too", "[metrics][concentration]") {
    // increments 1, 2, 3, 2 over quarters: V rises by 4, 8, 12, 8 an eighth of the whole per unit
    vector const alpha{0, 0.25, 0.5, 0.75, 1}, curve{0, 1, -1, 2, 4};
    CHECK_THAT(switch_concentration_of(alpha, curve, 0.25).window, WithinAbs(3.0 / 8, 1e-12));
    CHECK_THAT(switch_concentration_of(alpha, curve, 0.5).window, WithinAbs(5.0 / 8, 1e-12));
    CHECK_THAT(switch_concentration_of(alpha, curve, 0.35).window, WithinAbs((3 + 0.8) / 8, 1e-12));
    CHECK_THAT(switch_concentration_of(alpha, curve, 1).window, WithinAbs(1, 1e-12));
    CHECK_THAT(switch_concentration_of(alpha, curve).flanks, WithinAbs((0.8 + 1.6) / 8, 1e-12));
    CHECK_THAT(switch_concentration_of(alpha, curve).gain, WithinAbs((0.8 + 1.2) / 8 / 0.2, 1e-12));
    // a path of another range is the same path
    vector const moved{-2, -1, 0, 1, 2};
    CHECK_THAT(switch_concentration_of(moved, curve, 0.35).window, WithinAbs((3 + 0.8) / 8, 1e-12));

    // no window of a fine scan is fuller
    auto const grid = plateau::paths::even_grid(0, 1, 23);
    auto const noise = plateau::testing::random_vector<double>(23, 4);
    auto const found = switch_concentration_of(grid, noise, 0.13);
    vector share{0};
    for (std::size_t i = 0; i + 1 < noise.size(); ++i)
        share.push_back(share.back() + std::abs(noise[i + 1] - noise[i]));
    double most = 0;
    for (int i = 0; i <= 20000; ++i) {
        double const a = 0.87 * i / 20000;
        most = std::max(most,
                        plateau::metrics::value_at(grid, share, a + 0.13) - plateau::metrics::value_at(grid, share, a));
    }
    CHECK(found.window >= most / share.back() - 1e-12);
    CHECK_THAT(found.window, WithinAbs(most / share.back(), 1e-3));
}

TEST_CASE("a curve without change, or with a NaN, has no concentration; wrong requests are errors",
          "[metrics][concentration]") {
    vector const alpha{0, 0.5, 1};
    for (vector const& curve : {vector{1, 1, 1}, vector{0, NAN, 1}, vector{NAN, NAN, NAN}, vector{0, INFINITY, 1}}) {
        auto const found = switch_concentration_of(alpha, curve);
        CHECK(std::isnan(found.gain));
        CHECK(std::isnan(found.flanks));
        CHECK(std::isnan(found.window));
    }
    CHECK_THROWS_AS(switch_concentration_of(alpha, vector{0, 1}), plateau::shape_error);
    CHECK_THROWS_AS(switch_concentration_of(alpha, vector{0, 1, 2}, GENERATE(0.0, -0.1, 1.1)), plateau::domain_error);
}

}  // namespace
