#include <plateau/hooks/selection.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/site_rows.hpp"

namespace {

using namespace plateau::hooks;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::site_rows;

/// (row, head, width) of each vector that a selection means.
using visit = std::vector<std::array<index, 3>>;
visit visited(site_rows& rows, selection const& some) {
    visit all;
    rows.act(change<double>(
        "*", some,
        [&](std::span<double> x, site const&, row_id const& row, index head) {
        all.push_back({row.position, head, static_cast<index>(x.size())});
        CHECK(x.data() == rows.values[row.position][head].data());
        },
        depends_on::position));
    visit selected;
    auto const extents = rows.values.extents();
    each_selected(some, rows.at, rows.ids, {extents[1], extents[2]}, [&](index r, index head, index width) {
        selected.push_back({r, head, width});
    });
    CHECK(selected == all);
    return all;
}

TEST_CASE("a selection is made of positions and heads, in either order", "[hooks][selection]") {
    site_rows rows{site_id::z, site_axes::heads, 2, 3, 4};
    CHECK(visited(rows, {}) == visit{{0, 0, 4}, {0, 1, 4}, {0, 2, 4}, {1, 0, 4}, {1, 1, 4}, {1, 2, 4}});
    CHECK(visited(rows, positions::last()) == visit{{1, 0, 4}, {1, 1, 4}, {1, 2, 4}});
    CHECK(visited(rows, heads{2, 0}) == visit{{0, 0, 4}, {0, 2, 4}, {1, 0, 4}, {1, 2, 4}});
    CHECK(visited(rows, positions::one(0) & heads{1}) == visit{{0, 1, 4}});
    CHECK(visited(rows, heads{1} & positions::one(0)) == visit{{0, 1, 4}});
}

TEST_CASE("a row of scores or patterns ends with its own key", "[hooks][selection]") {
    site_rows rows{site_id::pattern, site_axes::keys, 3, 2, 3};
    CHECK(visited(rows, heads{1}) == visit{{0, 1, 1}, {1, 1, 2}, {2, 1, 3}});
}

TEST_CASE("heads that are not there are an error", "[hooks][selection][errors]") {
    site_rows some{site_id::z, site_axes::heads, 2, 3, 4};
    CHECK_THROWS_WITH(visited(some, heads{3}), contains("has no head 3") && contains("3 of them"));
    CHECK_THROWS_WITH(visited(some, heads{-1}), contains("has no head -1"));
    auto vectors = site_rows::vectors(2, 4);
    CHECK_THROWS_WITH(visited(vectors, heads{0}), contains("it has no heads"));
}

TEST_CASE("a change says what it depends on and where it acts", "[hooks][selection]") {
    auto const set = change<double>(
        "a", positions::one(-2) & heads{1}, [](auto&&...) {}, depends_on::prompt);
    auto const& one = set.hooks().front();
    CHECK_FALSE(one.reads_only);
    CHECK(one.depends == depends_on::prompt);
    CHECK(one.touched == positions::one(-2));
    CHECK(patch<double>("a", [](auto&&...) {}).hooks().front().depends == depends_on::point);
}

}  // namespace
