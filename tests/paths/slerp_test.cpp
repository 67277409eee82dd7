#include <plateau/paths/slerp.hpp>
#include <plateau/paths/slerp_rescaled.hpp>

#include <cmath>
#include <numbers>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using testing::same_bits;

using vector = std::vector<double>;

double norm(vector const& x) {
    double squares = 0;
    for (double v : x) squares += v * v;
    return std::sqrt(squares);
}

template <class Along>
vector at(Along const& path, double t, std::size_t size) {
    vector out(size, -77);
    path(t, std::span<double>{out});
    return out;
}

/// Vectors of the plane at an angle, of given lengths, in a random plane of `size` dimensions.
struct planted {
    vector a, b;
    planted(double angle, double length_a, double length_b, std::size_t size = 33) : a(size), b(size) {
        auto e = testing::random_vector<double>(static_cast<index>(size), 1),
             f = testing::random_vector<double>(static_cast<index>(size), 2);
        double const ee = norm(e);
        double ef = 0;
        for (std::size_t i = 0; i < size; ++i) ef += e[i] * f[i] / ee / ee;
        for (std::size_t i = 0; i < size; ++i) f[i] -= ef * e[i];
        double const ff = norm(f);
        for (std::size_t i = 0; i < size; ++i) {
            a[i] = length_a * e[i] / ee;
            b[i] = length_b * (std::cos(angle) * e[i] / ee + std::sin(angle) * f[i] / ff);
        }
    }
};

TEST_CASE("angles are exact from nearly parallel to nearly opposite", "[paths][angle]") {
    double const angle = GENERATE(1e-12, 1e-6, 0.1, 1.0, std::numbers::pi / 2, 2.5, std::numbers::pi - 1e-6);
    planted const p{angle, 2, 0.5};
    CHECK_THAT(paths::angle<double>(p.a, p.b), testing::WithinAbs(angle, 1e-15 * 8));
    CHECK(paths::angle<double>(p.a, p.a) == 0);
}

TEMPLATE_TEST_CASE("both spherical paths begin at a and end at b, bit for bit", "[paths][slerp]", float, double) {
    index const size = GENERATE(2, 7, 32, 65, 129);
    auto a = testing::random_vector<TestType>(size, GENERATE(1u, 2u)), b = testing::random_vector<TestType>(size, 3);
    a[0] = TestType(-0.0);
    std::vector<TestType> out(a.size());
    auto const check = [&](auto const& path) {
        path(0, std::span{out});
        CHECK(same_bits(out.data(), a.data(), size));
        path(1, std::span{out});
        CHECK(same_bits(out.data(), b.data(), size));
    };
    check(paths::slerp<TestType>{a, b});
    check(paths::slerp_rescaled<TestType>{a, b});
    check(paths::slerp_rescaled<TestType>{a, b, paths::slerp_angle::folded});
}

TEST_CASE("the rescaled path turns evenly and its norm is interpolated, for obtuse pairs too",
          "[paths][slerp_rescaled]") {
    double const angle = GENERATE(0.01, 0.7, 1.5, 2.2, 3.1);
    planted const p{angle, 3, 0.7};
    paths::slerp_rescaled<double> const path{p.a, p.b};
    for (double t : {0.1, 0.25, 0.5, 0.9}) {
        auto const x = at(path, t, p.a.size());
        CHECK_THAT(norm(x), testing::WithinRel((1 - t) * 3 + t * 0.7, 1e-12));
        CHECK_THAT(paths::angle<double>(p.a, x), testing::WithinAbs(t * angle, 1e-12));
        CHECK_THAT(paths::angle<double>(x, p.b), testing::WithinAbs((1 - t) * angle, 1e-12));
    }
}

TEST_CASE("slerp of equal norms stays on the sphere and agrees with the rescaled path", "[paths][slerp]") {
    planted const p{GENERATE(0.3, 2.0), 2, 2};
    paths::slerp<double> const path{p.a, p.b};
    paths::slerp_rescaled<double> const rescaled{p.a, p.b};
    for (double t : {-0.5, 0.2, 0.5, 1.4}) {
        auto const x = at(path, t, p.a.size()), y = at(rescaled, t, p.a.size());
        for (std::size_t i = 0; i < x.size(); ++i) REQUIRE_THAT(x[i], testing::WithinAbs(y[i], 1e-13));
    }
}

TEST_CASE("the folded angle is as published: 100 degrees apart, the middle has 0.839 of its norm",
          "[paths][slerp_rescaled]") {
    auto const middle = [](double degrees, paths::slerp_angle which) {
        planted const p{degrees * std::numbers::pi / 180, 1, 1};
        return norm(at(paths::slerp_rescaled<double>{p.a, p.b, which}, 0.5, p.a.size()));
    };
    double const theta = 80 * std::numbers::pi / 180;
    double const published = std::sin(theta / 2) / std::sin(theta) * 2 * std::cos(50 * std::numbers::pi / 180);
    CHECK_THAT(middle(100, paths::slerp_angle::folded), testing::WithinAbs(published, 1e-12));
    CHECK_THAT(published, testing::WithinAbs(0.839, 5e-4));
    CHECK_THAT(middle(100, paths::slerp_angle::exact), testing::WithinAbs(1, 1e-12));
    CHECK_THAT(middle(80, paths::slerp_angle::folded),
               testing::WithinAbs(middle(80, paths::slerp_angle::exact), 1e-13));
}

TEST_CASE("a parallel pair gives the straight line", "[paths][slerp]") {
    auto const a = testing::random_vector<double>(65, 1);
    auto b = a;
    for (double& x : b) x *= 3;
    auto const which = GENERATE(paths::slerp_angle::exact, paths::slerp_angle::folded);
    auto const x = at(paths::slerp_rescaled<double>{a, b, which}, 0.25, 65),
               y = at(paths::slerp<double>{a, b}, 0.25, 65);
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE_THAT(x[i], testing::WithinAbs(1.5 * a[i], 1e-14));
        REQUIRE_THAT(y[i], testing::WithinAbs(1.5 * a[i], 1e-14));
    }
}

TEST_CASE("there is no jump between nearly parallel and parallel", "[paths][slerp]") {
    double const angle = GENERATE(0.99e-8, 1.01e-8, 1e-5, 1e-4);
    planted const p{angle, 1, 2};
    auto const x = at(paths::slerp_rescaled<double>{p.a, p.b}, 0.3, 33);
    CHECK_THAT(norm(x), testing::WithinRel(1.3, 1e-14));
    CHECK_THAT(paths::angle<double>(p.a, x), testing::WithinAbs(0.3 * angle, 1e-15));
}

TEMPLATE_TEST_CASE("opposite, zero and infinite vectors are errors that say so", "[paths][slerp]", float, double) {
    auto const a = testing::random_vector<TestType>(65, 1);
    auto opposite = a;
    for (auto& x : opposite) x *= TestType(-1.7);
    std::vector<TestType> const zero(65);
    auto broken = a;
    broken[3] = std::numeric_limits<TestType>::quiet_NaN();
    CHECK_THROWS_AS((paths::slerp<TestType>{a, opposite}), domain_error);
    CHECK_THROWS_WITH((paths::slerp_rescaled<TestType>{a, opposite}), testing::contains("antiparallel"));
    CHECK_THROWS_AS((paths::slerp_rescaled<TestType>{a, opposite, paths::slerp_angle::folded}), domain_error);
    CHECK_THROWS_AS((paths::slerp<TestType>{a, zero}), domain_error);
    CHECK_THROWS_AS((paths::slerp_rescaled<TestType>{zero, a}), domain_error);
    CHECK_THROWS_AS((paths::slerp<TestType>{broken, a}), domain_error);
    CHECK_THROWS_AS((paths::slerp<TestType>{a, std::span<TestType const>{a}.first(64)}), shape_error);
}

}  // namespace
