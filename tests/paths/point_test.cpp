#include <plateau/paths/point.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using paths::term;
using plateau::index;

TEMPLATE_TEST_CASE("a point is formed in double and rounded once", "[paths][point]", float, double) {
    index const size = GENERATE(1, 7, 32, 65, 129);
    auto const a = testing::random_vector<TestType>(size, 1), b = testing::random_vector<TestType>(size, 2);
    auto const d = testing::random_vector<double>(size, 3);
    std::vector<TestType> out(a.size());
    paths::weighted_sum(std::span{out}, term<TestType>{0.3, a}, term<TestType>{-1.7, b}, term<double>{2.5, d});
    for (std::size_t i = 0; i < out.size(); ++i) {
        double const exact = 0.3 * static_cast<double>(a[i]) - 1.7 * static_cast<double>(b[i]) + 2.5 * d[i];
        double const magnitude = 0.3 * std::abs(static_cast<double>(a[i])) + 1.7 * std::abs(static_cast<double>(b[i])) +
                                 2.5 * std::abs(d[i]);
        REQUIRE(std::abs(static_cast<double>(out[i]) - exact) <=
                testing::epsilon_of<TestType> / 2 * std::abs(exact) + 4 * testing::epsilon_of<double> * magnitude);
    }
}

TEST_CASE("one vector of weight 1 among zeros is copied bit for bit", "[paths][point]") {
    std::vector<float> const a{-0.0f, 0.1f, -3}, b{1, -0.0f, 1e30f};
    std::vector<float> out(3);
    paths::weighted_sum(std::span{out}, term<float>{0, a}, term<float>{1, b});
    CHECK(testing::same_bits(out.data(), b.data(), 3));
    paths::weighted_sum(std::span{out}, term<float>{1, a}, term<float>{0, b}, term<float>{-0.0, b});
    CHECK(testing::same_bits(out.data(), a.data(), 3));
}

TEST_CASE("lengths that differ are errors", "[paths][point]") {
    std::vector<float> const three(3), four(4);
    std::vector<float> out(3);
    CHECK_THROWS_AS(paths::weighted_sum(std::span{out}, term<float>{1, three}, term<float>{1, four}), shape_error);
    CHECK_THROWS_WITH(paths::require_equal_lengths("this path", 3, three, four),
                      testing::contains("this path") && testing::contains("3 and 4"));
}

TEST_CASE("a norm that is zero or not finite is an error that names the vector", "[paths][point]") {
    std::vector<double> values{3, 4};
    CHECK(paths::length_of(std::span{values}, "x") == 5);
    values = {0, -0.0};
    CHECK_THROWS_WITH(paths::length_of(std::span{values}, "the fox"), testing::contains("the fox is the zero vector"));
    values[1] = GENERATE(INFINITY, -INFINITY, NAN);
    CHECK_THROWS_AS(paths::length_of(std::span{values}, "x"), domain_error);
}

}  // namespace
