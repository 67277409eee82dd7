#include <plateau/core/csv.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "support/catch.hpp"

namespace {

using plateau::csv_line;

TEST_CASE("a line of CSV has its cells between commas, and a newline", "[core][csv]") {
    CHECK(csv_line("a") == "a\n");
    CHECK(csv_line(std::string("random"), 3, -7L, 0.5) == "random,3,-7,0.5\n");
}

TEST_CASE("numbers in CSV give back the same bits; NaN has no sign", "[core][csv]") {
    for (double const number : {0.1, 1.0 / 3, 5e-324, std::numeric_limits<double>::max(), -0.0})
        CHECK(std::strtod(csv_line(number).c_str(), nullptr) == number);
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(csv_line(nan, std::copysign(nan, -1.0)) == "nan,nan\n");
    CHECK(csv_line(-std::numeric_limits<double>::infinity()) == "-inf\n");
}

}  // namespace
