#include <plateau/metrics/cosine_distance.hpp>
#include <plateau/metrics/in_out_distance.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/lp_distance.hpp>
#include <plateau/metrics/projection.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using vector = std::vector<double>;
using metrics::cosine_distance;
using metrics::lp_distance;

TEMPLATE_TEST_CASE("p = 2 is the Euclidean distance, and norms fall as p grows", "[metrics][lp_distance]", float,
                   double) {
    index const size = GENERATE(0, 1, 7, 32, 65, 129);
    auto const a = testing::random_vector<TestType>(size, 1), b = testing::random_vector<TestType>(size, 2);
    double const l2 = metrics::l2_distance<TestType>(a, b);
    CHECK_THAT(lp_distance<TestType>(a, b, 2), testing::WithinAbs(l2, 1e-13 * (1 + l2)));
    double last = INFINITY;
    for (double p : {1.0, 1.5, 2.0, 4.0, 100.0, static_cast<double>(INFINITY)}) {
        double const now = lp_distance<TestType>(a, b, p);
        CHECK(now <= last * (1 + 1e-14));
        last = now;
    }
}

TEST_CASE("powers neither overflow nor vanish", "[metrics][lp_distance]") {
    vector const a{3e200, 0}, b{0, 4e200}, c{3e-200, 0}, d{0, 4e-200};
    CHECK_THAT(lp_distance<double>(a, b, 2), testing::WithinRel(5e200, 1e-14));
    CHECK_THAT(lp_distance<double>(c, d, 2), testing::WithinRel(5e-200, 1e-14));
    CHECK(lp_distance<double>(a, b, INFINITY) == 4e200);
    CHECK(lp_distance<double>(vector{INFINITY}, vector{0}, 3) == INFINITY);
    CHECK(std::isnan(
        lp_distance<double>(vector{1, NAN, 2}, vector{0, 0, 0}, GENERATE(1.0, 3.0, static_cast<double>(INFINITY)))));
    CHECK_THROWS_AS(lp_distance<double>(a, b, GENERATE(0.5, -1.0, static_cast<double>(NAN))), domain_error);
    CHECK_THROWS_AS(lp_distance<double>(a, vector{1}, 2), shape_error);
}

TEMPLATE_TEST_CASE("the cosine distance is that of planted angles, whatever the lengths", "[metrics][cosine_distance]",
                   float, double) {
    double const angle = GENERATE(0.0, 1e-3, 0.5, 2.0, 3.14159265358979);
    std::vector<TestType> const a{TestType(2), TestType(0)};
    std::vector<TestType> const b{static_cast<TestType>(5 * std::cos(angle)),
                                  static_cast<TestType>(5 * std::sin(angle))};
    CHECK_THAT(cosine_distance<TestType>(a, b),
               testing::WithinAbs(1 - std::cos(angle), 4 * testing::epsilon_of<TestType>));
}

TEST_CASE("small angles keep their precision", "[metrics][cosine_distance]") {
    double const angle = GENERATE(1e-5, 1e-9, 1e-12);  // 1 - cos in double would be 5e-11 ± 1e-16, then 0
    vector const a{3, 0}, b{7 * std::cos(angle), 7 * std::sin(angle)};
    CHECK_THAT(cosine_distance<double>(a, b), testing::WithinRel(angle * angle / 2, 1e-6));
}

TEST_CASE("a zero vector has no cosine", "[metrics][cosine_distance]") {
    CHECK(std::isnan(cosine_distance<double>(vector{0, 0}, vector{1, 2})));
    CHECK(std::isnan(cosine_distance<double>(vector{1, 2}, vector{0, 0})));
    CHECK(std::isnan(cosine_distance<double>(vector{1, NAN}, vector{1, 2})));
    CHECK_THROWS_AS(cosine_distance<double>(vector{1}, vector{1, 2}), shape_error);
}

TEMPLATE_TEST_CASE("a projection is the fraction along the line, whatever lies across", "[metrics][projection]", float,
                   double) {
    index const size = GENERATE(2, 7, 65);
    auto const a = testing::random_vector<TestType>(size, 1), b = testing::random_vector<TestType>(size, 2);
    CHECK(metrics::projection<TestType>(a, a, b) == 0);
    CHECK(metrics::projection<TestType>(b, a, b) == 1);
    double const t = GENERATE(-0.5, 0.25, 0.8);
    std::vector<TestType> x(a.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<TestType>((1 - t) * static_cast<double>(a[i]) + t * static_cast<double>(b[i]));
    double const across_0 = static_cast<double>(b[1]) - static_cast<double>(a[1]),
                 across_1 = static_cast<double>(a[0]) - static_cast<double>(b[0]);
    x[0] += static_cast<TestType>(3 * across_0);
    x[1] += static_cast<TestType>(3 * across_1);
    CHECK_THAT(metrics::projection<TestType>(x, a, b), testing::WithinAbs(t, 100 * testing::epsilon_of<TestType>));
    CHECK(std::isnan(metrics::projection<TestType>(x, a, a)));
    CHECK_THROWS_AS(metrics::projection<TestType>(x, a, std::span<TestType const>{b}.first(1)), shape_error);
}

TEST_CASE("distances at both sites, and their ratio", "[metrics][in_out_distance]") {
    std::vector<float> const a{0, 0}, b{3, 4}, out_a{1, 1, 1}, out_b{1, 1, 11};
    auto const pair = metrics::in_out_distance_of<float>(a, b, out_a, out_b);
    CHECK(pair.in == 5);
    CHECK(pair.out == 10);
    CHECK(pair.ratio() == 2);
    CHECK(std::isnan(metrics::in_out_distance_of<float>(a, a, out_a, out_b).ratio()));
}

}  // namespace
