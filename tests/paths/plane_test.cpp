#include <plateau/paths/plane.hpp>

#include <functional>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <plateau/paths/line_on.hpp>
#include <plateau/paths/linear.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

TEMPLATE_TEST_CASE("the anchors of a plane lie where it says, bit for bit", "[paths][plane]", float, double) {
    index const size = GENERATE(2, 7, 32, 65, 129);
    auto a = testing::random_vector<TestType>(size, GENERATE(1u, 5u, 9u));
    auto const b = testing::random_vector<TestType>(size, 2), c = testing::random_vector<TestType>(size, 3);
    a[0] = TestType(-0.0);
    paths::plane<TestType> const plane{a, b, c};
    std::vector<TestType> out(a.size());
    auto const anchors = plane.anchors();
    std::vector<TestType> const* const expected[3] = {&a, &b, &c};
    for (std::size_t k = 0; k < 3; ++k) {
        plane(anchors[k][0], anchors[k][1], out);
        CHECK(testing::same_bits(out.data(), expected[k]->data(), size));
    }
    CHECK(anchors[0] == std::array{0.0, 0.0});
    CHECK(anchors[1] == std::array{1.0, 0.0});
    CHECK(anchors[2][1] == 1);
}

TEST_CASE("the axes of a plane are at right angles, and P is the foot of C", "[paths][plane]") {
    auto const a = testing::random_vector<double>(65, 1), b = testing::random_vector<double>(65, 2),
               c = testing::random_vector<double>(65, 3);
    paths::plane<double> const plane{a, b, c};
    vector foot(65), up(65), x(65);
    double const t = plane.anchors()[2][0];
    plane(t, 0, foot);
    plane(0, 1, up);
    double along = 0, across = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE_THAT(foot[i], testing::WithinAbs(a[i] + t * (b[i] - a[i]), 1e-14));
        along += (up[i] - a[i]) * (b[i] - a[i]);
        across += (c[i] - foot[i]) * (b[i] - a[i]);
    }
    CHECK_THAT(along, testing::WithinAbs(0, 1e-12));
    CHECK_THAT(across, testing::WithinAbs(0, 1e-12));
    plane(-0.25, 1.25, x);
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE_THAT(x[i], testing::WithinAbs(a[i] - 0.25 * (b[i] - a[i]) + 1.25 * (c[i] - foot[i]), 1e-13));
    }
}

TEST_CASE("anchors that make no plane are errors", "[paths][plane]") {
    auto const a = testing::random_vector<double>(33, 1), b = testing::random_vector<double>(33, 2);
    vector between(33);
    paths::linear<double>{a, b}(0.3, between);
    CHECK_THROWS_WITH((paths::plane<double>{a, a, b}), testing::contains("a and b are the same"));
    CHECK_THROWS_WITH((paths::plane<double>{a, b, between}), testing::contains("one line"));
    CHECK_THROWS_AS((paths::plane<double>{a, b, a}), domain_error);
    CHECK_THROWS_AS((paths::plane<double>{a, b, vector(32)}), shape_error);
    CHECK_THROWS_AS((paths::plane<double>{a, b, vector(33, NAN)}), domain_error);
    vector out(32);
    CHECK_THROWS_AS((paths::plane<double>{a, b, vector(33, 1.0)}(0, 0, out)), shape_error);
}

TEST_CASE("lines on a plane are paths", "[paths][line_on]") {
    auto const a = testing::random_vector<double>(33, 1), b = testing::random_vector<double>(33, 2),
               c = testing::random_vector<double>(33, 3);
    paths::plane<double> const plane{a, b, c};
    paths::line_on const base{plane, {0, 0}, {1, 0}};
    STATIC_REQUIRE(paths::Path<decltype(base), double>);
    STATIC_REQUIRE_FALSE(paths::Path<decltype(base), float>);  // a plane of doubles has no points of floats
    vector x(33), y(33);
    base(0.3, std::span{x});
    paths::linear<double>{a, b}(0.3, y);
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE_THAT(x[i], testing::WithinAbs(y[i], 1e-15 * 8));
    paths::line_on const to_c{std::cref(plane), plane.anchors()[1], plane.anchors()[2]};
    to_c(1, std::span{x});
    CHECK(testing::same_bits(x.data(), c.data(), 33));
    to_c(0, std::span{x});
    CHECK(testing::same_bits(x.data(), b.data(), 33));
}

}  // namespace
