#include <plateau/core/table.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

namespace {

using namespace plateau;

TEST_CASE("columns are aligned, numbers to the right", "[core][table]") {
    table results{{"pair", "max slope", "name"}};
    results.row({"0", "3.92", "a"}).row({"10", "-12.5", "long name"}).row({"", "nan", ""});
    CHECK(results.render() ==
          "pair  max slope  name\n"
          "----  ---------  ---------\n"
          "   0       3.92  a\n"
          "  10      -12.5  long name\n"
          "            nan\n");
}

TEST_CASE("widths count characters, not bytes", "[core][table]") {
    CHECK(table{{"α", "b"}}.row({"αβγ", "x"}).row({"a", "y"}).render() == "α    b\n---  -\nαβγ  x\na    y\n");
}

TEST_CASE("a column of numbers and words is text", "[core][table]") {
    CHECK(table{{"value"}}.row({"1"}).row({"none at all"}).render() == "value\n-----------\n1\nnone at all\n");
    CHECK(table{{"value"}}.row({"1"}).row({"-"}).render() == "value\n-----\n    1\n    -\n");
}

TEST_CASE("a table without rows is its head", "[core][table]") {
    CHECK(table{{"a", "bb"}}.render() == "a  bb\n-  --\n");
}

TEST_CASE("a row must have the cells of the header", "[core][table]") {
    table results{{"a", "b"}};
    CHECK_THROWS_AS(results.row({"1"}), shape_error);
    CHECK_THROWS_AS(results.row({"1", "2", "3"}), shape_error);
    CHECK_THROWS_WITH(results.row({"1"}), plateau::testing::contains("1 cells"));
}

TEST_CASE("fixed decimals", "[core][table]") {
    CHECK(fixed(3.925, 1) == "3.9");
    CHECK(fixed(-0.5, 3) == "-0.500");
    CHECK(fixed(12, 0) == "12");
    CHECK(fixed(std::numeric_limits<double>::max(), 0).size() == 309);
    CHECK(fixed(-std::numeric_limits<double>::quiet_NaN(), 2) == "nan");
    CHECK(fixed(-std::numeric_limits<double>::infinity(), 2) == "-inf");
}

}  // namespace
