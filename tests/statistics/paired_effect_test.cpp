#include <plateau/statistics/paired_effect.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using statistics::paired_effect_of;
using vector = std::vector<double>;

TEST_CASE("a paired effect is of the prompts of which both values are known", "[statistics][paired_effect]") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    vector const x{3, 5, nan, 9, 4}, y{1, 2, 7, nan, 3};
    auto const found = paired_effect_of(x, y, {.resamples = 100, .seed = 2});
    REQUIRE(found);
    CHECK(found->difference.value == 2);                                        // of 2, 3, 1
    CHECK_THAT(found->cliffs_delta.value, testing::WithinAbs(8.0 / 9, 1e-15));  // one of nine pairs of values is equal
    CHECK_THAT(found->cohens_d.value, testing::WithinAbs(2, 1e-12));            // both variances are 1
    CHECK(found->p > 0.2);  // two of eight flips of three signs have as large a mean
    CHECK(found->p < 0.3);
    auto const back = paired_effect_of(y, x, {.resamples = 100, .seed = 2});
    CHECK(back->difference.value == -2);
    CHECK(back->cliffs_delta.value == -found->cliffs_delta.value);
    CHECK(back->p == found->p);
}

TEST_CASE("fewer than two pairs have no effect, and samples are of one length", "[statistics][paired_effect][errors]") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK_FALSE(paired_effect_of(vector{1, nan, 3}, vector{nan, 1, 2}));
    CHECK_FALSE(paired_effect_of(vector{}, vector{}));
    CHECK_THROWS_AS(paired_effect_of(vector{1, 2}, vector{1, 2, 3}), shape_error);
}

}  // namespace
