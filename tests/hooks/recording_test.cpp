#include <plateau/hooks/recording.hpp>

#include <plateau/core/parallel.hpp>

#include "support/catch.hpp"
#include "support/site_rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau::hooks;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::site_rows;
using row = std::vector<double>;

row kept(recording<double> const& r, site const& at, index item, index position) {
    auto const values = r.at(at, item, position);
    return {values.begin(), values.end()};
}

TEST_CASE("a recording keeps rows by site, item and position", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    site_rows rows{site_id::z, site_axes::heads, 3, 2, 1};
    rows.act(record<double>("*", values, positions{-2, 0}));
    CHECK(values->size() == 2);
    CHECK(kept(*values, rows.at, 0, 1) == row{3, 4});
    CHECK(kept(*values, rows.at, 0, 2) == row{5, 6});
    CHECK_THROWS_WITH(kept(*values, rows.at, 0, 0), contains("blocks.1.attn.hook_z for item 0, position 0"));
    CHECK_THROWS_AS(kept(*values, rows.at, 1, 1), plateau::usage_error);
    site other = rows.at;
    other.layer = 2;
    CHECK_THROWS_AS(kept(*values, other, 0, 1), plateau::usage_error);
    CHECK_THROWS_WITH(rows.act(record<double>("*", values, positions::last())), contains("recorded twice"));
}

TEST_CASE("patterns are kept as far as their own key", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    site_rows rows{site_id::pattern, site_axes::keys, 2, 2, 4};
    rows.act(record<double>("*", values));
    CHECK(kept(*values, rows.at, 0, 0) == row{1, 5});
    CHECK(kept(*values, rows.at, 0, 1) == row{9, 10, 13, 14});
    CHECK_THROWS_WITH(values->examples(rows.at), contains("differ in length"));
}

TEST_CASE("what is recorded makes examples, in order", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    for (index item : {1, 0}) {
        auto rows = site_rows::vectors(2, 2);
        for (auto& id : rows.ids) id.item = item;
        if (item == 1) rows.values(0, 0, 0) = -1;
        rows.act(record<double>("*", values));
        if (item == 1) continue;
        auto const all = values->examples(rows.at);
        CHECK(all.extents() == std::array<index, 2>{4, 2});
        CHECK(row(all.flat().begin(), all.flat().end()) == row{1, 2, 3, 4, -1, 2, 3, 4});
        CHECK_THROWS_AS(values->examples(site{site_id::q, 0}), plateau::usage_error);
    }
}

TEST_CASE("means are over the points of an item, position by position", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    auto rows = site_rows::vectors(6, 1);  // two points of two positions of item 0, one of item 1
    rows.ids = {{1, 0, 4}, {1, 0, 5, true}, {0, 0, 4}, {0, 0, 5, true}, {0, 1, 4}, {0, 1, 5, true}};
    rows.values(0, 0, 0) = -0.0;
    rows.act(record_means<double>("*", values));
    CHECK(plateau::testing::same_bits(kept(*values, rows.at, 1, 4)[0], -0.0));
    CHECK(kept(*values, rows.at, 1, 5) == row{2});
    CHECK(kept(*values, rows.at, 0, 4) == row{4});
    CHECK(kept(*values, rows.at, 0, 5) == row{5});
}

TEST_CASE("means want all points of an item together", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    CHECK(record_means<double>("*", values).hooks().front().whole_items);
    CHECK(record_means<double>("*", values).hooks().front().reads_only);
    CHECK_FALSE(record<double>("*", values).hooks().front().whole_items);
}

TEST_CASE("rows that are evaluated again as a reference are kept once", "[hooks][recording]") {
    auto rows = site_rows::vectors(2, 1);
    rows.ids[1] = {0, 0, 0, false, true};
    auto const values = std::make_shared<recording<double>>();
    rows.act(record<double>("*", values));
    CHECK(values->size() == 1);
}

TEST_CASE("blocks of rows may be recorded at once", "[hooks][recording]") {
    auto const values = std::make_shared<recording<double>>();
    auto const set = record<double>("*", values);
    plateau::parallel_for(4, 100, [&](index item, int) {
        auto rows = site_rows::vectors(3, 2);
        for (auto& id : rows.ids) id.item = item;
        rows.act(set);
    });
    CHECK(values->size() == 300);
}

}  // namespace
