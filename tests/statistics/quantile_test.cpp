#include <plateau/statistics/quantile.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::statistics::quantile;
using plateau::statistics::quartiles_of;

double const nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("quantiles are those of numpy.quantile", "[statistics][quantile]") {
    // numpy 2.4.6: np.quantile(a, q), printed by repr
    std::vector<double> const seven{-4.3, -1.7, 0.2, 2.2, 3.1, 5.9, 8.8};
    CHECK(quantile(seven, 0) == -4.3);
    CHECK(quantile(seven, 0.02) == -3.988);
    CHECK(quantile(seven, 0.1) == -2.7399999999999993);
    CHECK(quantile(seven, 0.25) == -0.75);
    CHECK_THAT(quantile(seven, 0.3), testing::WithinAbs(-0.18000000000000033, 1e-15));
    CHECK(quantile(seven, 0.5) == 2.2);
    CHECK_THAT(quantile(seven, 0.6), testing::WithinAbs(2.7399999999999998, 1e-15));
    CHECK(quantile(seven, 0.75) == 4.5);
    CHECK_THAT(quantile(seven, 0.98), testing::WithinAbs(8.452, 2e-15));
    CHECK(quantile(seven, 1) == 8.8);
    std::vector<double> const four{0.1, 0.4, 0.7, 1.3};
    CHECK_THAT(quantile(four, 0.25), testing::WithinAbs(0.325, 1e-16));
    CHECK_THAT(quantile(four, 1.0 / 3), testing::WithinAbs(0.4, 1e-16));
    CHECK_THAT(quantile(four, 0.5), testing::WithinAbs(0.55, 1e-15));
    CHECK_THAT(quantile(four, 0.75), testing::WithinAbs(0.85, 1e-15));
    CHECK_THAT(quantile(four, 0.9), testing::WithinAbs(1.12, 1e-15));
}

TEST_CASE("one value is all of its quantiles, none has none", "[statistics][quantile]") {
    double const q = GENERATE(0.0, 0.3, 0.5, 1.0);
    CHECK(quantile(std::vector{2.5}, q) == 2.5);
    CHECK(std::isnan(quantile({}, q)));
}

TEST_CASE("a quantile does not fall with q, hits the order statistics, and mirrors", "[statistics][quantile]") {
    index const size = GENERATE(2, 7, 32, 65, 129);
    auto values = testing::random_vector<double>(size, GENERATE(1u, 2u));
    std::sort(values.begin(), values.end());
    std::vector<double> mirrored(values.rbegin(), values.rend());
    for (double& value : mirrored) value = -value;
    double last = values.front();
    for (int i = 0; i <= 64; ++i) {
        double const q = i / 64.0;
        double const now = quantile(values, q);
        REQUIRE(now >= last);
        last = now;
        REQUIRE_THAT(quantile(mirrored, 1 - q), testing::WithinAbs(-now, 1e-13));
    }
    CHECK(quantile(values, 0) == values.front());
    CHECK(quantile(values, 1) == values.back());
    for (index k = 0; k < size; ++k) {
        double const q = static_cast<double>(k) / static_cast<double>(size - 1);
        REQUIRE_THAT(quantile(values, q), testing::WithinAbs(values[static_cast<std::size_t>(k)], 1e-13));
    }
}

TEST_CASE("a fraction outside of [0, 1] is an error", "[statistics][quantile]") {
    double const q = GENERATE(-0.001, 1.001, 1e300, std::numeric_limits<double>::quiet_NaN());
    CHECK_THROWS_AS(quantile(std::vector{1.0, 2.0}, q), domain_error);
}

TEST_CASE("quartiles leave out what is not a number", "[statistics][quantile]") {
    auto const all = quartiles_of(std::vector{4.0, nan, 1.0, 3.0, nan, 2.0, 5.0});
    CHECK(all.count == 5);
    CHECK(all.q25 == 2.0);
    CHECK(all.median == 3.0);
    CHECK(all.q75 == 4.0);
    auto const none = quartiles_of(std::vector{nan, nan});
    CHECK(none.count == 0);
    CHECK((std::isnan(none.q25) && std::isnan(none.median) && std::isnan(none.q75)));
    CHECK(quartiles_of({}).count == 0);
}

TEST_CASE("quartiles do not depend on the order of the values", "[statistics][quantile]") {
    auto values = testing::random_vector<double>(65, GENERATE(3u, 4u));
    auto const before = quartiles_of(values);
    auto const shuffle = sample_without_replacement(65, 65, 9);
    std::vector<double> shuffled;
    for (index i : shuffle) shuffled.push_back(values[static_cast<std::size_t>(i)]);
    auto const after = quartiles_of(shuffled);
    CHECK(before.q25 == after.q25);
    CHECK(before.median == after.median);
    CHECK(before.q75 == after.q75);
}

}  // namespace
