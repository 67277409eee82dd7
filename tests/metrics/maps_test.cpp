#include <plateau/metrics/iso_contour.hpp>
#include <plateau/metrics/label_map.hpp>
#include <plateau/metrics/superellipse.hpp>

#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/toy_models.hpp"

#include <plateau/paths/grid.hpp>
#include <plateau/paths/plane.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

template <class F>
tensor::buffer<double, 2> map_of(vector const& u, vector const& v, F const& f) {
    tensor::buffer<double, 2> map({static_cast<index>(v.size()), static_cast<index>(u.size())});
    for (std::size_t r = 0; r < v.size(); ++r) {
        for (std::size_t c = 0; c < u.size(); ++c) map(static_cast<index>(r), static_cast<index>(c)) = f(u[c], v[r]);
    }
    return map;
}

double length_of(std::vector<metrics::contour_segment> const& segments) {
    double total = 0;
    for (auto const& s : segments) total += std::hypot(s.to[0] - s.from[0], s.to[1] - s.from[1]);
    return total;
}

TEST_CASE("the contour of a linear map is a straight line, of a cone a circle", "[metrics][iso_contour]") {
    auto const u = paths::even_grid(-1, 1, 41), v = paths::even_grid(-1, 1, 31);
    auto const line = map_of(u, v, [](double x, double y) { return x + 2 * y; });
    auto const straight = metrics::iso_contour(u, v, line, 0.3);
    for (auto const& s : straight) {
        REQUIRE_THAT(s.from[0] + 2 * s.from[1], testing::WithinAbs(0.3, 1e-14));
        REQUIRE_THAT(s.to[0] + 2 * s.to[1], testing::WithinAbs(0.3, 1e-14));
    }
    CHECK_THAT(length_of(straight), testing::WithinRel(std::hypot(2, 1), 1e-12));
    auto const cone = map_of(u, v, [](double x, double y) { return std::hypot(x, y); });
    CHECK_THAT(length_of(metrics::iso_contour(u, v, cone, 0.7)), testing::WithinRel(2 * std::numbers::pi * 0.7, 2e-3));
    CHECK(metrics::iso_contour(u, v, cone, 3).empty());
}

TEST_CASE("a saddle is joined as its middle says, and cells without a number are left out", "[metrics][iso_contour]") {
    vector const u{0, 1}, v{0, 1};
    double const corner = GENERATE(1.0, 3.0);  // mean below and above the level
    auto const map = map_of(u, v, [&](double x, double y) { return x == y ? corner : -1; });
    auto const segments = metrics::iso_contour(u, v, map, 0.5);
    REQUIRE(segments.size() == 2);
    // two corners are cut off: the high ones if the middle is low
    for (auto const& s : segments) {
        double const x = (s.from[0] + s.to[0]) / 2, y = (s.from[1] + s.to[1]) / 2;
        bool const around_high = (x < 0.5) == (y < 0.5);
        CHECK(around_high == (corner == 1.0));
    }
    auto broken = map_of(u, v, [](double x, double) { return x == 0 ? NAN : 1.0; });
    CHECK(metrics::iso_contour(u, v, broken, 0.5).empty());
    CHECK_THROWS_AS(metrics::iso_contour(u, vector{0, 1, 2}, broken, 0.5), shape_error);
    CHECK_THROWS_AS(metrics::iso_contour(vector{1, 0}, v, broken, 0.5), domain_error);
}

TEST_CASE("a slice through the double well has two regions and the planted boundary between them",
          "[metrics][label_map]") {
    testing::double_well const model{17, 3};
    vector a = testing::random_vector<double>(17, 4), b = testing::random_vector<double>(17, 5),
           c = testing::random_vector<double>(17, 6);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] -= 2 * model.u[i];
        b[i] += 3 * model.u[i];
    }
    paths::plane<double> const plane{a, b, c};
    auto const axis = paths::even_grid(-0.25, 1.25, 61);
    tensor::buffer<index, 2> labels({61, 61});
    tensor::buffer<double, 2> side({61, 61});
    vector x(17);
    paths::surface_grid const grid{axis, axis};
    for (index i = 0; i < grid.size(); ++i) {
        plane(grid[i][0], grid[i][1], x);
        auto const out = model(std::span<double const>{x});
        labels.data()[i] = model.side(std::span<double const>{out}) > 0 ? 7 : 3;
        side.data()[i] = model.side(std::span<double const>{x});  // affine on the plane: its contour is exact
    }
    auto const regions = metrics::regions_of<index>(labels);
    CHECK(regions.count() == 2);
    CHECK(regions.area[0] + regions.area[1] == 61 * 61);
    auto const boundaries = metrics::boundaries_of<index>(labels, 0.025, 0.025);
    REQUIRE(boundaries.size() == 1);
    CHECK(boundaries[0].a == 3);
    CHECK(boundaries[0].b == 7);
    auto const contour = metrics::iso_contour(axis, axis, side, 0);
    double const exact = length_of(contour);
    CHECK(exact > 1);
    CHECK(boundaries[0].length >= exact - 0.05);
    CHECK(boundaries[0].length <= exact * std::numbers::sqrt2 + 0.1);
}

TEST_CASE("a straight boundary has its length along the axes, 4/pi of it on average", "[metrics][label_map]") {
    tensor::buffer<int, 2> labels({4, 6});
    for (index r = 0; r < 4; ++r) {
        for (index c = 3; c < 6; ++c) labels(r, c) = 1;
    }
    auto const sides = metrics::boundaries_of<int>(labels, 0.1, 0.5);
    REQUIRE(sides.size() == 1);
    CHECK_THAT(sides[0].length, testing::WithinAbs(4 * 0.5, 1e-14));
}

TEST_CASE("regions are connected by sides, not by corners, and spirals are one", "[metrics][label_map]") {
    std::vector<int> const picture{1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1};
    auto const spiral = metrics::regions_of<int>(tensor::view<int const, 2>{picture.data(), {5, 5}});
    CHECK(spiral.count() == 2);
    CHECK(spiral.area == std::vector<index>{17, 8});
    CHECK(spiral.label == std::vector<int>{1, 0});
    std::vector<int> const checkered{0, 1, 1, 0};
    CHECK(metrics::regions_of<int>(tensor::view<int const, 2>{checkered.data(), {2, 2}}).count() == 4);
    CHECK(metrics::regions_of<int>(tensor::buffer<int, 2>({0, 3})).count() == 0);
    auto const three = std::vector<int>{0, 1, 2};
    auto const sides = metrics::boundaries_of<int>(tensor::view<int const, 2>{three.data(), {1, 3}}, 1, 1);
    REQUIRE(sides.size() == 2);
    CHECK((sides[0].a == 0 && sides[0].b == 1 && sides[1].a == 1 && sides[1].b == 2));
}

TEST_CASE("a planted exponent is recovered from points on the superellipse", "[metrics][superellipse]") {
    double const p = GENERATE(0.7, 1.0, 2.0, 2.42, 3.4, 9.0);
    std::vector<std::array<double, 2>> points;
    for (int i = 1; i < 40; ++i) {
        double const phi = i * std::numbers::pi / 80;
        double const r = std::pow(std::pow(std::cos(phi), p) + std::pow(std::sin(phi), p), -1 / p);
        points.push_back({r * std::cos(phi), r * std::sin(phi)});
    }
    CHECK_THAT(metrics::superellipse_exponent(points), testing::WithinAbs(p, 1e-7));
}

TEST_CASE("points out of range do not count, and none have no exponent", "[metrics][superellipse]") {
    std::vector<std::array<double, 2>> const outside{{0.01, 1}, {1, 0.04}, {1.6, 0.5}, {NAN, 0.5}};
    CHECK(std::isnan(metrics::superellipse_exponent(outside)));
    CHECK(std::isnan(metrics::superellipse_exponent({})));
}

TEST_CASE("a planted response over two angles gives its intercepts and its exponent", "[metrics][superellipse]") {
    double const p = GENERATE(2.0, 2.42, 3.4);
    auto const angles = paths::even_grid(0, std::numbers::pi / 3, 31);
    double const first = 0.4, second = 0.65;  // plateau-breaking angles
    // response T where (sin α cos φ / sin α₁*)^p + (sin α sin φ / sin α₂*)^p = 1, rising steeply through it
    auto const map = map_of(angles, angles, [&](double x, double y) {
        double const alpha = std::hypot(x, y), scale = alpha > 0 ? std::sin(alpha) / alpha : 1;
        double const s = std::pow(scale * x / std::sin(first), p) + std::pow(scale * y / std::sin(second), p);
        return 1 / (1 + std::exp(-(std::pow(s, 1 / p) - 1) / 0.15));
    });
    // on both axes the response goes to 1, so that half of the smaller maximum is close to its middle
    auto const found = metrics::iso_response_of(angles, angles, map);
    CHECK_THAT(found.level, testing::WithinAbs(0.5, 0.03));
    CHECK_THAT(found.intercepts[0], testing::WithinAbs(first, 0.01));
    CHECK_THAT(found.intercepts[1], testing::WithinAbs(second, 0.015));
    CHECK_THAT(metrics::superellipse_exponent(found.points), testing::WithinAbs(p, 0.03));
}

TEST_CASE("an iso-response needs angles from 0, and may not exist", "[metrics][superellipse]") {
    auto const angles = paths::even_grid(0, 1, 11);
    auto const flat = map_of(angles, angles, [](double, double) { return 0.0; });
    auto const found = metrics::iso_response_of(angles, angles, flat);
    CHECK(found.points.empty());
    auto const rising = map_of(angles, angles, [](double x, double y) { return x + y; });
    CHECK(std::isnan(metrics::iso_response_of(angles, angles, rising, 1.5).intercepts[0]));
    CHECK_THROWS_AS(metrics::iso_response_of(paths::even_grid(0.1, 1, 11), angles, rising), domain_error);
    CHECK_THROWS_AS(metrics::iso_response_of(angles, paths::even_grid(0, 1, 10), rising), shape_error);
}

TEST_CASE("points of a superellipse satisfy its equation, from one intercept to the other", "[metrics][superellipse]") {
    for (double const p : {0.7, 1.0, 2.0, 3.4}) {
        std::array<double, 2> const intercepts{0.6, 0.9};
        auto const curve = metrics::superellipse_curve(intercepts, p, 31);
        REQUIRE(curve.size() == 31);
        CHECK(std::abs(curve.front()[0] - 0.6) < 1e-12);
        CHECK(curve.front()[1] == 0);
        CHECK(curve.back()[0] == 0);
        CHECK(std::abs(curve.back()[1] - 0.9) < 1e-12);
        for (auto const& [u, v] : curve) {
            double const alpha = std::hypot(u, v), scale = std::sin(alpha) / alpha;
            double const x = scale * u / std::sin(0.6), y = scale * v / std::sin(0.9);
            CHECK(std::abs(std::pow(x, p) + std::pow(y, p) - 1) < 1e-12);
        }
    }
    CHECK(std::isnan(metrics::superellipse_curve({1.2, 1.3}, 8, 3)[1][0]));  // sin α would exceed 1 half-way
    CHECK_THROWS_AS(metrics::superellipse_curve({1, 1}, 2, 1), plateau::usage_error);
}

}  // namespace
