#include <plateau/paths/ray.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

#include <plateau/metrics/l2_distance.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/linear.hpp>

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;

TEMPLATE_TEST_CASE("a ray goes the length it is asked for", "[paths][ray]", float, double) {
    index const size = GENERATE(1, 7, 32, 65, 129);
    auto const a = testing::random_vector<TestType>(size, 1), d = testing::random_vector<TestType>(size, 2);
    paths::ray<TestType> const path{a, d};
    std::vector<TestType> out(a.size());
    path(0, out);
    CHECK(testing::same_bits(out.data(), a.data(), size));
    for (double s : paths::step_grid(1, 10, 21)) {
        path(s, out);
        REQUIRE_THAT(metrics::l2_distance<TestType>(out, a), testing::WithinRel(s, 64 * testing::epsilon_of<TestType>));
    }
    path(-3, out);
    CHECK_THAT(metrics::l2_distance<TestType>(out, a), testing::WithinRel(3, 64 * testing::epsilon_of<TestType>));
}

TEST_CASE("a ray towards a target meets it at its distance", "[paths][ray]") {
    auto const a = testing::random_vector<double>(65, 1), target = testing::random_vector<double>(65, 2);
    paths::ray_toward<double> const path{a, target};
    CHECK(path.distance() == metrics::l2_distance<double>(a, target));
    vector out(65);
    path(path.distance(), out);
    for (std::size_t i = 0; i < out.size(); ++i) REQUIRE_THAT(out[i], testing::WithinAbs(target[i], 1e-14));
    path(0.5, out);
    CHECK_THAT(metrics::l2_distance<double>(a, out), testing::WithinRel(0.5, 1e-13));
}

TEST_CASE("a ray in lengths of b - a is the straight line", "[paths][ray]") {
    auto const a = testing::random_vector<double>(65, 1), b = testing::random_vector<double>(65, 2);
    vector d(65), x(65), y(65);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = b[i] - a[i];
    paths::ray<double>{a, d, paths::ray_direction::as_given}(0.3, x);
    paths::linear<double>{a, b}(0.3, y);
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE_THAT(x[i], testing::WithinAbs(y[i], 1e-15 * 8));
}

TEST_CASE("a ray without a direction is an error", "[paths][ray]") {
    vector const a{1, 2}, zero{0, 0}, broken{1, INFINITY};
    CHECK_THROWS_WITH((paths::ray<double>{a, zero}), testing::contains("direction"));
    CHECK_THROWS_AS((paths::ray<double>{a, zero, paths::ray_direction::as_given}), domain_error);
    CHECK_THROWS_AS((paths::ray<double>{a, broken}), domain_error);
    CHECK_THROWS_WITH((paths::ray_toward<double>{a, a}), testing::contains("target - a"));
    CHECK_THROWS_AS((paths::ray<double>{a, vector{1}}), shape_error);
    CHECK_THROWS_AS((paths::ray_toward<double>{a, vector{1}}), shape_error);
}

}  // namespace
