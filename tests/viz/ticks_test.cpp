#include <plateau/viz/ticks.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

namespace {

using namespace plateau::viz;

TEST_CASE("steps are 1, 2 or 5 times a power of ten", "[viz][ticks]") {
    CHECK(nice_step(1) == 1);
    CHECK(nice_step(1.01) == 2);
    CHECK(nice_step(3) == 5);
    CHECK(nice_step(5.5) == 10);
    CHECK(nice_step(100) == 100);
    CHECK_THAT(nice_step(0.03), plateau::testing::WithinRel(0.05, 1e-12));
}

TEST_CASE("marks of common ranges", "[viz][ticks]") {
    auto const unit = ticks_of({0, 1}, 6);
    REQUIRE(unit.values.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK_THAT(unit.values[i], plateau::testing::WithinAbs(0.2 * static_cast<double>(i), 1e-12));
    }
    CHECK(ticks_of({0, 10}, 5).values == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(ticks_of({-3, 17}, 5).values == std::vector<double>{0, 5, 10, 15});
    CHECK(ticks_of({-1.2, 1.2}, 3).values == std::vector<double>{-1, 0, 1});
    CHECK_FALSE(std::signbit(ticks_of({-1, 1}, 4).values[2]));
}

TEST_CASE("marks lie in the range, are few and evenly spaced", "[viz][ticks]") {
    double const low = GENERATE(-1e6, -7.3, 0.0, 0.001, 12.5, 1e9);
    double const length = GENERATE(1e-3, 0.7, 1.0, 49.0, 3e7);
    int const most = GENERATE(2, 5, 9);
    CAPTURE(low, length, most);
    auto const marks = ticks_of({low, low + length}, most);
    double const tolerance = 1e-6 * length + 1e-15 * std::abs(low);
    CHECK(marks.values.size() <= static_cast<std::size_t>(most) + 1);
    for (std::size_t i = 0; i < marks.values.size(); ++i) {
        CHECK(marks.values[i] >= low - 1e-6 * length);
        CHECK(marks.values[i] <= low + length + 1e-6 * length);
        if (i > 0)
            CHECK_THAT(marks.values[i] - marks.values[i - 1], plateau::testing::WithinAbs(marks.step, tolerance));
    }
}

TEST_CASE("ranges without a length have no marks", "[viz][ticks]") {
    double const infinity = std::numeric_limits<double>::infinity();
    CHECK(ticks_of({1, 1}, 5).values.empty());
    CHECK(ticks_of({2, 1}, 5).values.empty());
    CHECK(ticks_of({0, infinity}, 5).values.empty());
    CHECK(ticks_of({0, std::nan("")}, 5).values.empty());
}

TEST_CASE("labels have the decimals of their step", "[viz][ticks]") {
    CHECK(tick_label(0, 0.2) == "0.0");
    CHECK(tick_label(0.6000000000000001, 0.2) == "0.6");
    CHECK(tick_label(1.05, 0.05) == "1.05");
    CHECK(tick_label(40, 20) == "40");
    CHECK(tick_label(-0.5, 0.5) == "\u22120.5");
    CHECK(tick_label(2e9, 1e9) == "2e+09");
}

}  // namespace
