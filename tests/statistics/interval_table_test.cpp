#include <plateau/statistics/interval_table.hpp>

#include <limits>

#include "support/catch.hpp"

namespace {

using namespace plateau::statistics;
double const nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("a number is shown with its interval, where it has one", "[statistics][interval_table]") {
    CHECK(with_interval({4.926, 4.354, 5.494, 0}, 2) == "4.93 [4.35, 5.49]");
    CHECK(with_interval({4.926, nan, nan, nan}, 2) == "4.93");
    CHECK(with_interval({nan, nan, nan, nan}, 2) == "-");
    CHECK(with_interval({-0.001, -0.004, 0.2, 0}, 2) == "0.00 [0.00, 0.20]");
}

TEST_CASE("a table of intervals is text on the screen and three columns a number in CSV",
          "[statistics][interval_table]") {
    interval_table table{{"pair"}, {"slope"}, 1};
    table.row({"a, b"}, {{1.25, 1, 1.5, 0}}).row({"c"}, {{nan, nan, nan, nan}});
    CHECK_THAT(table.render(), plateau::testing::contains("1.2 [1.0, 1.5]"));
    CHECK(table.csv() == "pair,slope,slope_low,slope_high\na; b,1.25,1,1.5\nc,nan,nan,nan\n");
}

}  // namespace
