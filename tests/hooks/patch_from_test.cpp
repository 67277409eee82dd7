#include <plateau/hooks/patch_from.hpp>

#include "support/catch.hpp"
#include "support/site_rows.hpp"

namespace {

using namespace plateau::hooks;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::site_rows;
using row = std::vector<double>;

std::shared_ptr<recording<double>> recorded(site_rows& rows) {
    auto values = std::make_shared<recording<double>>();
    rows.act(record<double>("*", values));
    return values;
}

TEST_CASE("a frozen row gets the value of its own prompt and position", "[hooks][patch_from]") {
    site_rows run{site_id::z, site_axes::heads, 3, 2, 1};
    auto const values = recorded(run);
    site_rows later{site_id::z, site_axes::heads, 3, 2, 1, 5};
    for (auto& id : later.ids) id.prompt = 0;
    for (double& x : later.values.flat()) x = -1;
    later.act(freeze<double>("*", values, positions{1, 0} & heads{1}));
    CHECK(later.row(0) == row{-1, -1});
    CHECK(later.row(1) == row{-1, 4});
    CHECK(later.row(2) == row{-1, 6});
    for (auto& id : later.ids) id.item = 0, id.prompt = 9;
    later.act(freeze_rows<double>("*", values));  // by item
    CHECK(later.row(0) == row{1, 2});
    CHECK(later.row(2) == row{5, 6});
}

TEST_CASE("any run and position may be the source", "[hooks][patch_from]") {
    auto run = site_rows::vectors(3, 2);
    auto const values = recorded(run);
    auto rows = site_rows::vectors(2, 2);
    rows.act(patch_from<double>("*", values, [](row_id const& r) { return recorded_at{0, 2 - r.position}; }));
    CHECK(rows.row(0) == row{5, 6});
    CHECK(rows.row(1) == row{3, 4});
}

TEST_CASE("patterns are frozen key by key", "[hooks][patch_from]") {
    site_rows run{site_id::pattern, site_axes::keys, 2, 2, 4};
    auto const values = recorded(run);
    auto& rows = run;
    for (double& x : rows.values.flat()) x = 0;
    rows.act(freeze<double>("*", values));
    CHECK(rows.row(0) == row{1, 0, 0, 0, 5, 0, 0, 0});
    CHECK(rows.row(1) == row{9, 10, 0, 0, 13, 14, 0, 0});
    auto const other = patch_from<double>(
        "*", values,
        [](row_id const&) {
        return recorded_at{0, 0};
        },
        positions::last());
    CHECK_THROWS_WITH(rows.act(other), contains("2 values") && contains("2 x 2"));
}

TEST_CASE("what was not recorded is an error", "[hooks][patch_from][errors]") {
    auto rows = site_rows::vectors(1, 1);
    CHECK_THROWS_WITH(rows.act(freeze<double>("*", std::make_shared<recording<double>>())),
                      contains("nothing was recorded"));
}

TEST_CASE("freezing says what it depends on", "[hooks][patch_from]") {
    auto const none = std::make_shared<recording<double>>();
    CHECK(freeze<double>("*", none).hooks().front().depends == depends_on::prompt);
    CHECK(freeze_rows<double>("*", none).hooks().front().depends == depends_on::row);
}

}  // namespace
