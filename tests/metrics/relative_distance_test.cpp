#include <plateau/metrics/relative_distance.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::metrics::endpoint_share;
using plateau::metrics::relative_distance;

double const nan = std::numeric_limits<double>::quiet_NaN();

bool all_nan(std::vector<double> const& values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

TEST_CASE("a relative curve ends at 1 exactly and keeps ratios", "[metrics][relative_distance]") {
    index const size = GENERATE(1, 7, 32, 65, 129);
    auto distances = testing::random_vector<double>(size, GENERATE(1u, 2u, 3u));
    for (double& d : distances) d = std::abs(d) * 1e-3;
    distances.front() = size > 1 ? 0 : distances.front();
    auto const relative = relative_distance(distances);
    REQUIRE(relative.size() == distances.size());
    CHECK(relative.back() == 1);
    if (size > 1) CHECK(relative.front() == 0);
    for (std::size_t i = 0; i < relative.size(); ++i) {
        REQUIRE(relative[i] == distances[i] / distances.back());
    }
}

TEST_CASE("a relative curve does not change with the unit of the distance", "[metrics][relative_distance]") {
    std::vector<double> const distances{0, 0.1, 0.7, 0.5}, larger{0, 0.1 * 1024, 0.7 * 1024, 0.5 * 1024};
    CHECK(relative_distance(distances) == relative_distance(larger));
}

TEST_CASE("a pair is degenerate if d(1) does not exceed the bound", "[metrics][relative_distance]") {
    std::vector<double> const distances{0, 2, 0.5};
    CHECK_FALSE(all_nan(relative_distance(distances)));
    CHECK_FALSE(all_nan(relative_distance(distances, 0.49999)));
    CHECK(all_nan(relative_distance(distances, 0.5)));
    CHECK(all_nan(relative_distance(distances, 7)));
    CHECK(all_nan(relative_distance(std::vector{0.0, 3.0, 0.0})));
    CHECK(all_nan(relative_distance(std::vector{0.0, 3.0, nan})));
    CHECK(relative_distance(std::vector{0.0, 3.0, nan}).size() == 3);
}

TEST_CASE("a NaN inside of a curve stays where it is", "[metrics][relative_distance]") {
    auto const relative = relative_distance(std::vector{0.0, nan, 2.0});
    CHECK(relative[0] == 0);
    CHECK(std::isnan(relative[1]));
    CHECK(relative[2] == 1);
}

TEST_CASE("a curve without points is an error", "[metrics][relative_distance]") {
    CHECK_THROWS_AS(relative_distance({}), shape_error);
}

TEST_CASE("the endpoint share is 0 at A, 1 at B, and one minus the share seen from B", "[metrics][relative_distance]") {
    auto to_a = testing::random_vector<double>(65, GENERATE(4u, 5u)), to_b = testing::random_vector<double>(65, 6);
    for (double& d : to_a) d = std::abs(d);
    for (double& d : to_b) d = std::abs(d);
    to_a.front() = 0;
    to_b.back() = 0;
    auto const share = endpoint_share(to_a, to_b), reverse = endpoint_share(to_b, to_a);
    CHECK(share.front() == 0);
    CHECK(share.back() == 1);
    for (std::size_t i = 0; i < share.size(); ++i) {
        REQUIRE(share[i] >= 0);
        REQUIRE(share[i] <= 1);
        REQUIRE_THAT(share[i] + reverse[i], testing::WithinAbs(1, 1e-15));
    }
}

TEST_CASE("the endpoint share needs equal lengths and a distance that is not zero", "[metrics][relative_distance]") {
    CHECK_THROWS_AS(endpoint_share(std::vector{1.0}, std::vector{1.0, 2.0}), shape_error);
    CHECK(std::isnan(endpoint_share(std::vector{0.0}, std::vector{0.0}).front()));
    CHECK(std::isnan(endpoint_share(std::vector{nan}, std::vector{1.0}).front()));
    CHECK(endpoint_share({}, {}).empty());
}

}  // namespace
