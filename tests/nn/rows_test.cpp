#include <plateau/nn/rows.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;

TEST_CASE("a sequence has the positions that follow its first row, and ends with the prompt", "[nn][rows]") {
    struct memory : nn::kept_keys {
        index positions() const override { return 9; }
    } prefix, record;
    nn::rows rows;
    std::vector<token_id> const prompt{11, 12, 13}, rest{14, 15};
    rows.add_prompt(4, prompt);
    hooks::row_id first{2, 7, 5};
    first.prompt = 1;
    first.length = 7;
    first.points = 50;
    rows.add(first, rest, &prefix, &record);
    REQUIRE(rows.count() == 5);
    CHECK(rows.tokens == std::vector<index>{11, 12, 13, 14, 15});
    std::vector<index> items, positions;
    std::vector<bool> last;
    for (auto const& id : rows.ids) {
        items.push_back(id.item);
        positions.push_back(id.position);
        last.push_back(id.last);
        CHECK_FALSE(id.reference_copy);
    }
    CHECK(items == std::vector<index>{4, 4, 4, 2, 2});
    CHECK(positions == std::vector<index>{0, 1, 2, 5, 6});
    CHECK(last == std::vector<bool>{false, false, true, false, true});
    CHECK(rows.ids[1].its_prompt() == 4);
    CHECK(rows.ids[1].length == 3);
    CHECK(rows.ids[1].points == 1);
    CHECK(rows.ids[4].its_prompt() == 1);
    CHECK(rows.ids[4].point == 7);
    CHECK(rows.ids[4].points == 50);
    REQUIRE(rows.sequences.size() == 2);
    auto const &whole = rows.sequences[0], &after = rows.sequences[1];
    CHECK(whole.first_row == 0);
    CHECK(whole.rows == 3);
    CHECK(whole.start == 0);
    CHECK(whole.prefix == nullptr);
    CHECK(whole.record == nullptr);
    CHECK(after.first_row == 3);
    CHECK(after.rows == 2);
    CHECK(after.start == 5);
    CHECK(after.prefix == &prefix);
    CHECK(after.record == &record);
}

TEST_CASE("a prompt that still grows has no last row", "[nn][rows]") {
    nn::rows rows;
    std::vector<token_id> const tokens{1, 2};
    rows.add({0, 0, 3}, tokens);
    for (auto const& id : rows.ids) CHECK_FALSE(id.last);
    CHECK(nn::rows::prompt_row(3, 2, 5).its_prompt() == 3);
    CHECK(nn::rows::prompt_row(3, 2, 5).position == 2);
}

}  // namespace
