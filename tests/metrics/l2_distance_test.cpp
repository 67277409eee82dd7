#include <plateau/metrics/l2_distance.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::metrics::l2_distance;

TEMPLATE_TEST_CASE("the distance is that of the definition", "[metrics][l2_distance]", float, double) {
    index const size = GENERATE(1, 7, 8, 32, 65, 129, 1000);
    auto const a = testing::random_vector<TestType>(size, GENERATE(1u, 2u));
    auto const b = testing::random_vector<TestType>(size, 3);
    long double squares = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        long double const difference = static_cast<long double>(a[i]) - static_cast<long double>(b[i]);
        squares += difference * difference;
    }
    auto const expected = static_cast<double>(std::sqrt(squares));
    // sums in double for every element type
    CHECK_THAT(l2_distance<TestType>(a, b),
               testing::WithinAbs(expected, testing::sum_tolerance<double>(size, expected)));
}

TEMPLATE_TEST_CASE("the distance is symmetric, zero between equals, and scales", "[metrics][l2_distance]", float,
                   double) {
    index const size = GENERATE(0, 1, 7, 32, 65, 129);
    auto a = testing::random_vector<TestType>(size, 1), b = testing::random_vector<TestType>(size, 2);
    CHECK(l2_distance<TestType>(a, b) == l2_distance<TestType>(b, a));
    CHECK(l2_distance<TestType>(a, a) == 0);
    double const before = l2_distance<TestType>(a, b);
    for (auto& value : a) value *= 4;
    for (auto& value : b) value *= 4;
    CHECK(l2_distance<TestType>(a, b) == 4 * before);  // a power of two rounds nothing
}

TEST_CASE("differences of floats are taken in double", "[metrics][l2_distance]") {
    std::vector<float> const a{16777216.0f, 3e38f}, b{1.0f, -3e38f};  // in float: 16777216 and infinity
    CHECK(l2_distance<float>(std::span(a).first(1), std::span(b).first(1)) == 16777215.0);
    CHECK(std::isfinite(l2_distance<float>(a, b)));
    CHECK(l2_distance<float>(std::vector{3.0f, 0.0f}, std::vector{0.0f, 4.0f}) == 5.0);
}

TEST_CASE("one element that differs, wherever it is", "[metrics][l2_distance]") {
    std::vector<float> const zero(65);
    for (std::size_t at = 0; at < zero.size(); ++at) {
        auto other = zero;
        other[at] = -2.5f;
        REQUIRE(l2_distance<float>(zero, other) == 2.5);
    }
}

TEST_CASE("unequal lengths are an error that names both", "[metrics][l2_distance]") {
    std::vector<float> const a(3), b(4);
    CHECK_THROWS_AS(l2_distance<float>(a, b), shape_error);
    CHECK_THROWS_WITH(l2_distance<float>(a, b), testing::contains("3 and 4"));
}

}  // namespace
