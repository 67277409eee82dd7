#include <plateau/paths/additive_map.hpp>
#include <plateau/paths/exp_map.hpp>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <plateau/paths/angle.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

double dot(vector const& x, vector const& y) { return tensor::dot(std::span{x}, std::span{y}); }

TEST_CASE("a tangent is a unit vector at a right angle to the basis, in the span of d and the basis",
          "[paths][tangent]") {
    index const size = GENERATE(3, 7, 65);
    auto const d = testing::random_vector<double>(size, 1), other = testing::random_vector<double>(size, 2),
               third = testing::random_vector<double>(size, 3);
    auto const e0 = paths::unit(std::span<double const>{other}, "other");
    auto const e1 = paths::tangent(std::span<double const>{d}, {std::span{e0}});
    auto const e2 = paths::tangent(std::span<double const>{third}, {std::span{e0}, std::span{e1}});
    for (auto const* e : {&e0, &e1, &e2}) CHECK_THAT(dot(*e, *e), testing::WithinAbs(1, 1e-14));
    CHECK_THAT(dot(e0, e1), testing::WithinAbs(0, 1e-15));
    CHECK_THAT(dot(e0, e2), testing::WithinAbs(0, 1e-15));
    CHECK_THAT(dot(e1, e2), testing::WithinAbs(0, 1e-15));
    CHECK_THAT(dot(d, e0) * dot(d, e0) + dot(d, e1) * dot(d, e1), testing::WithinRel(dot(d, d), 1e-13));
    CHECK(dot(d, e1) > 0);
}

TEST_CASE("a tangent of a nearly parallel direction is still orthogonal", "[paths][tangent]") {
    auto const a = testing::random_vector<double>(65, 1), noise = testing::random_vector<double>(65, 2);
    auto d = a;
    for (std::size_t i = 0; i < d.size(); ++i) d[i] += 1e-5 * noise[i];
    auto const e0 = paths::unit(std::span<double const>{a}, "a");
    CHECK_THAT(dot(e0, paths::tangent(std::span<double const>{d}, {std::span{e0}})), testing::WithinAbs(0, 1e-15));
}

TEMPLATE_TEST_CASE("the exponential map keeps the norm and turns by its angle", "[paths][exp_map]", float, double) {
    index const size = GENERATE(2, 7, 32, 65, 129);
    auto const a = testing::random_vector<TestType>(size, 1), d = testing::random_vector<TestType>(size, 2);
    paths::exp_map<TestType> const path{a, d};
    std::vector<TestType> out(a.size());
    path(0, out);
    CHECK(testing::same_bits(out.data(), a.data(), size));
    double const length = paths::length_of(std::span{a}, "a");
    double const tolerance = 4 * testing::epsilon_of<TestType>;
    for (double angle : {-1.0, 0.3, std::numbers::pi / 2, 3.0}) {
        path(angle, out);
        CHECK_THAT(paths::length_of(std::span{out}, "x"), testing::WithinRel(length, tolerance));
        CHECK_THAT(paths::angle<TestType>(a, out), testing::WithinAbs(std::abs(angle), 10 * tolerance));
    }
    // the great circle goes through d's direction
    double const to_d = paths::angle<TestType>(a, d);
    path(to_d, out);
    CHECK_THAT(paths::angle<TestType>(out, d), testing::WithinAbs(0, 10 * tolerance));
}

TEST_CASE("the exponential map in two dimensions: angle r from a, in the direction asked for", "[paths][exp_map]") {
    auto const a = testing::random_vector<double>(65, 1), d1 = testing::random_vector<double>(65, 2),
               d2 = testing::random_vector<double>(65, 3);
    paths::exp_surface<double> const surface{a, d1, d2};
    paths::exp_map<double> const path{a, d1};
    vector out(65), on_axis(65);
    surface(0, 0, out);
    CHECK(testing::same_bits(out.data(), a.data(), 65));
    for (std::array<double, 2> const at : {std::array{0.3, 0.4}, {-1.0, 0.2}, {0.0, 1.5}}) {
        surface(at[0], at[1], out);
        CHECK_THAT(dot(out, out), testing::WithinRel(dot(a, a), 1e-14));
        CHECK_THAT(paths::angle<double>(a, out), testing::WithinAbs(std::hypot(at[0], at[1]), 1e-14));
    }
    surface(0.8, 0, out);
    path(0.8, on_axis);
    for (std::size_t i = 0; i < out.size(); ++i) REQUIRE_THAT(out[i], testing::WithinAbs(on_axis[i], 1e-14));
}

TEST_CASE("the additive twin adds the tangential part alone", "[paths][additive_map]") {
    auto const a = testing::random_vector<double>(65, 1), d1 = testing::random_vector<double>(65, 2),
               d2 = testing::random_vector<double>(65, 3);
    paths::additive_map<double> const path{a, d1};
    paths::additive_surface<double> const surface{a, d1, d2};
    paths::exp_map<double> const rotation{a, d1};
    vector x(65), y(65), turned(65);
    path(0, x);
    CHECK(testing::same_bits(x.data(), a.data(), 65));
    surface(0, 0, x);
    CHECK(testing::same_bits(x.data(), a.data(), 65));
    path(0.6, x);
    surface(0.6, 0, y);
    rotation(0.6, turned);
    for (std::size_t i = 0; i < x.size(); ++i) {
        REQUIRE_THAT(x[i], testing::WithinAbs(y[i], 1e-14));
        REQUIRE_THAT(x[i] - a[i], testing::WithinAbs(turned[i] - std::cos(0.6) * a[i], 1e-13));
    }
    CHECK_THAT(dot(x, x), testing::WithinRel(dot(a, a) * (1 + std::sin(0.6) * std::sin(0.6)), 1e-13));
    surface(0.6, -0.2, y);
    double const s1 = std::sin(0.6), s2 = std::sin(0.2);
    CHECK_THAT(dot(y, y), testing::WithinRel(dot(a, a) * (1 + s1 * s1 + s2 * s2), 1e-13));
}

TEST_CASE("directions that are parallel, dependent or zero are errors", "[paths][exp_map]") {
    auto const a = testing::random_vector<double>(33, 1), d = testing::random_vector<double>(33, 2);
    auto parallel = a, dependent = a;
    for (std::size_t i = 0; i < a.size(); ++i) {
        parallel[i] *= -2;
        dependent[i] = 0.5 * a[i] - 3 * d[i];
    }
    vector const zero(33);
    CHECK_THROWS_WITH((paths::exp_map<double>{a, parallel}), testing::contains("parallel"));
    CHECK_THROWS_AS((paths::exp_map<double>{a, zero}), domain_error);
    CHECK_THROWS_AS((paths::exp_map<double>{zero, d}), domain_error);
    CHECK_THROWS_AS((paths::exp_surface<double>{a, d, dependent}), domain_error);
    CHECK_THROWS_AS((paths::exp_surface<double>{a, d, parallel}), domain_error);
    CHECK_THROWS_AS((paths::additive_map<double>{a, parallel}), domain_error);
    CHECK_THROWS_AS((paths::additive_surface<double>{a, d, dependent}), domain_error);
    CHECK_THROWS_AS((paths::exp_map<double>{a, vector(32, 1.0)}), shape_error);
    std::vector<float> const fa(a.begin(), a.end());
    auto scaled = fa;
    for (float& x : scaled) x *= 1.3f;  // parallel to the precision of float
    CHECK_THROWS_AS((paths::exp_map<float>{fa, scaled}), domain_error);
}

}  // namespace
