#include <plateau/hooks/steer.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/site_rows.hpp"

namespace {

using namespace plateau::hooks;
using plateau::testing::contains;
using plateau::testing::site_rows;
using row = std::vector<double>;

TEST_CASE("a vector is added to every selected row", "[hooks][steer]") {
    auto rows = site_rows::vectors(3, 2);
    rows.act(add<double>("*", {10, 20}, positions{1, 0}));
    CHECK(rows.row(0) == row{1, 2});
    CHECK(rows.row(1) == row{13, 24});
    CHECK(rows.row(2) == row{15, 26});
}

TEST_CASE("of a site with heads each gets the whole vector, or its share", "[hooks][steer]") {
    site_rows rows{site_id::z, site_axes::heads, 1, 2, 2};
    rows.act(add<double>("*", {10, 20}, heads{1}));
    CHECK(rows.row(0) == row{1, 2, 13, 24});
    rows.act(add<double>("*", {100, 200, 300, 400}));
    CHECK(rows.row(0) == row{101, 202, 313, 424});
    rows.act(add<double>("*", {0, 0, 0, 1000}, heads{1}));
    CHECK(rows.row(0) == row{101, 202, 313, 1424});
}

TEST_CASE("scaling multiplies", "[hooks][steer]") {
    site_rows rows{site_id::q, site_axes::heads, 2, 2, 1};
    rows.act(scale<double>("*", -0.5, positions::last() & heads{0}));
    CHECK(rows.row(0) == row{1, 2});
    CHECK(rows.row(1) == row{-1.5, 4});
}

TEST_CASE("what is left after a projection has no part along the direction", "[hooks][steer]") {
    auto rows = site_rows::vectors(1, 3);
    std::vector<double> const u{3, 0, 4};
    rows.act(project_out<double>("*", u));
    // (1, 2, 3)·û = 3, û = (0.6, 0, 0.8)
    CHECK(std::abs(rows.values(0, 0, 0) - (1 - 1.8)) < 1e-15);
    CHECK(rows.values(0, 0, 1) == 2);
    CHECK(std::abs(rows.values(0, 0, 2) - (3 - 2.4)) < 1e-15);
    auto const once = rows.row(0);
    rows.act(project_out<double>("*", u));
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(rows.row(0)[i] - once[i]) < 1e-15);
}

TEST_CASE("vectors that do not fit, and directions that are none, are errors", "[hooks][steer][errors]") {
    auto rows = site_rows::vectors(1, 3);
    CHECK_THROWS_AS(rows.act(add<double>("*", {1, 2})), plateau::shape_error);
    CHECK_THROWS_WITH(rows.act(project_out<double>("*", {1, 2, 3, 4})),
                      contains("4 values") && contains("blocks.1.hook_resid_post"));
    CHECK_THROWS_AS(rows.act(project_out<double>("*", {0, 0, 0})), plateau::domain_error);
    CHECK_THROWS_AS(rows.act(project_out<double>("*", {0, 0, std::numeric_limits<double>::infinity()})),
                    plateau::domain_error);
    site_rows patterns{site_id::pattern, site_axes::keys, 2, 2, 2};
    CHECK_THROWS_AS(patterns.act(add<double>("*", {1, 2, 3, 4})), plateau::shape_error);  // the first row has one key
}

}  // namespace
