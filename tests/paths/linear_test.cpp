#include <plateau/paths/linear.hpp>

#include <array>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::testing::same_bits;

template <class T>
std::vector<T> point(std::vector<T> const& a, std::vector<T> const& b, double alpha) {
    std::vector<T> out(a.size(), T{-77});
    paths::linear<T>{a, b}(alpha, out);
    return out;
}

/// A path of one's own needs a call and no base class.
struct constant_path {
    float value;
    void operator()(double, std::span<float> out) const {
        for (float& x : out) x = value;
    }
};

struct returns_a_point {
    std::vector<float> operator()(double, std::span<float>) const { return {}; }
};

struct needs_to_change {
    void operator()(double, std::span<float>) {}
};

TEST_CASE("anything with the call of a path is a path", "[paths][linear]") {
    STATIC_REQUIRE(paths::Path<paths::linear<float>, float>);
    STATIC_REQUIRE(paths::Path<paths::linear<double>, double>);
    STATIC_REQUIRE_FALSE(paths::Path<paths::linear<double>, float>);
    STATIC_REQUIRE(paths::Path<constant_path, float>);
    STATIC_REQUIRE_FALSE(paths::Path<returns_a_point, float>);
    STATIC_REQUIRE_FALSE(paths::Path<needs_to_change, float>);  // called concurrently, so const
    STATIC_REQUIRE_FALSE(paths::Path<int, float>);
    auto const lambda = [](double t, std::span<double> out) { out[0] = t; };
    STATIC_REQUIRE(paths::Path<decltype(lambda), double>);
}

TEMPLATE_TEST_CASE("a line begins at a and ends at b, bit for bit", "[paths][linear]", float, double) {
    index const size = GENERATE(1, 7, 32, 65, 129);
    double const magnitude = GENERATE(1e-30, 1.0, 1e30);
    auto const a = testing::random_vector<TestType>(size, GENERATE(1u, 2u), magnitude);
    auto const b = testing::random_vector<TestType>(size, 3, magnitude);
    CHECK(same_bits(point(a, b, 0).data(), a.data(), size));
    CHECK(same_bits(point(a, b, 1).data(), b.data(), size));
}

TEMPLATE_TEST_CASE("extreme values keep their bits at the ends", "[paths][linear]", float, double) {
    using limits = std::numeric_limits<TestType>;
    std::vector<TestType> const a{limits::max(), limits::lowest(), limits::denorm_min(),
                                  TestType(0),   TestType(-0.0),   limits::min()};
    std::vector<TestType> const b{limits::lowest(), limits::denorm_min(), limits::max(),
                                  TestType(-0.0),   TestType(0),          limits::max()};
    CHECK(same_bits(point(a, b, 0).data(), a.data(), static_cast<index>(a.size())));
    CHECK(same_bits(point(a, b, 1).data(), b.data(), static_cast<index>(b.size())));
}

TEMPLATE_TEST_CASE("a line between equal points stays there", "[paths][linear]", float, double) {
    auto const a = testing::random_vector<TestType>(65, 1);
    for (int i = 0; i <= 49; ++i) {
        auto const x = point(a, a, paths::grid_fraction(i, 50));
        for (std::size_t k = 0; k < a.size(); ++k) {
            REQUIRE(std::abs(x[k] - a[k]) <= testing::rounding_tolerance<TestType>(static_cast<double>(a[k])));
        }
    }
}

TEST_CASE("the middle is the mean", "[paths][linear]") {
    auto const a = testing::random_vector<float>(129, GENERATE(1u, 2u)), b = testing::random_vector<float>(129, 3);
    auto const x = point(a, b, 0.5);
    for (std::size_t k = 0; k < a.size(); ++k) {
        REQUIRE(x[k] == static_cast<float>((static_cast<double>(a[k]) + static_cast<double>(b[k])) / 2));
    }
}

TEST_CASE("points of floats are formed in double and rounded once", "[paths][linear]") {
    auto const a = testing::random_vector<float>(129, GENERATE(1u, 2u)), b = testing::random_vector<float>(129, 3);
    int differ_from_float_arithmetic = 0;
    for (int i = 0; i < 50; ++i) {
        double const alpha = paths::grid_fraction(i, 50);
        auto const x = point(a, b, alpha);
        for (std::size_t k = 0; k < a.size(); ++k) {
            long double const exact =
                (1 - static_cast<long double>(alpha)) * a[k] + static_cast<long double>(alpha) * b[k];
            // half a unit in the last place of the result, and the errors of double on the way
            double const allowed = 0.5 * testing::epsilon_of<float> * std::abs(static_cast<double>(exact)) +
                                   4 * testing::epsilon_of<double> * (std::abs(a[k]) + std::abs(b[k]));
            REQUIRE(std::abs(static_cast<double>(static_cast<long double>(x[k]) - exact)) <= allowed);
            auto const f = static_cast<float>(alpha);
            differ_from_float_arithmetic += x[k] != (1 - f) * a[k] + f * b[k];
        }
    }
    CHECK(differ_from_float_arithmetic > 0);
}

TEST_CASE("a fraction outside of [0, 1] extrapolates", "[paths][linear]") {
    std::vector<double> const a{1, -2}, b{3, 5};
    CHECK(point(a, b, 2) == std::vector<double>{5, 12});
    CHECK(point(a, b, -1) == std::vector<double>{-1, -9});
}

TEST_CASE("the line from b to a is the same line", "[paths][linear]") {
    auto const a = testing::random_vector<double>(65, 1), b = testing::random_vector<double>(65, 2);
    for (double const alpha : {0.25, 0.5, 0.875}) CHECK(point(a, b, alpha) == point(b, a, 1 - alpha));
}

TEST_CASE("extents that do not fit are errors", "[paths][linear]") {
    std::vector<float> const three(3), four(4);
    CHECK_THROWS_AS((paths::linear<float>{three, four}), shape_error);
    std::vector<float> out(4);
    paths::linear<float> const line{three, three};
    CHECK_THROWS_AS(line(0.5, out), shape_error);
    CHECK_THROWS_WITH(line(0.5, out), testing::contains("3, not 4"));
}

TEST_CASE("the grid runs from 0 to 1 evenly", "[paths][linear]") {
    long long const steps = GENERATE(2, 3, 50, 129);
    CHECK(paths::grid_fraction(0, steps) == 0);
    CHECK(paths::grid_fraction(steps - 1, steps) == 1);
    for (long long i = 1; i < steps; ++i) {
        REQUIRE(paths::grid_fraction(i, steps) > paths::grid_fraction(i - 1, steps));
        REQUIRE(paths::grid_fraction(i, steps) == static_cast<double>(i) / static_cast<double>(steps - 1));
    }
}

}  // namespace
