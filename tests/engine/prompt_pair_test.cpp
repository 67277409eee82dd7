#include <plateau/engine/prompt_pair.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
using plateau::hooks::positions;
using plateau::testing::contains;

using tokens = std::vector<plateau::token_id>;

std::array<index, 4> resolved(engine::write_positions const& write, tokens const& a, tokens const& b) {
    auto const rows = engine::resolve_rows(write, a, b, {4, 7});
    return {rows.start, rows.first, rows.other, rows.count};
}

TEST_CASE("positions are each prompt's own", "[engine][prompt_pair]") {
    tokens const five{1, 2, 3, 4, 5}, three{1, 2, 3};
    using rows = std::array<index, 4>;
    CHECK(resolved({}, five, three) == rows{4, 4, 2, 1});
    CHECK(resolved({positions::one(1)}, five, three) == rows{1, 1, 1, 1});
    CHECK(resolved({positions{-3, -1}}, five, three) == rows{2, 2, 0, 2});
    CHECK(resolved({positions{0, 2}}, five, three) == rows{0, 0, 0, 2});
    CHECK(resolved({positions{1, -1}}, five, five) == rows{1, 1, 1, 3});
}

TEST_CASE("a suffix begins where the prompts differ", "[engine][prompt_pair]") {
    using rows = std::array<index, 4>;
    engine::write_positions const suffix{.suffix = true};
    CHECK(resolved(suffix, {1, 2, 3, 4}, {1, 2, 9, 4}) == rows{2, 2, 2, 2});
    CHECK(resolved(suffix, {1, 2, 3, 4}, {1, 2, 3, 9}) == rows{3, 3, 3, 1});
    CHECK(resolved(suffix, {1, 2}, {9, 2}) == rows{0, 0, 0, 2});
    CHECK(resolved(suffix, {1, 2, 3}, {1, 2, 3}) == rows{2, 2, 2, 1});  // no difference: the last one
}

TEST_CASE("a pair may have positions of its own", "[engine][prompt_pair]") {
    tokens const a{1, 2, 3, 4, 5}, b{1, 2, 9, 4, 5};
    auto const own = [&](std::optional<engine::write_positions> positions) {
        auto const rows = engine::resolve_rows({positions::one(1)}, a, b, {0, 1, 0, positions});
        return std::pair{rows.first, rows.count};
    };
    CHECK(own({}) == std::pair<index, index>{1, 1});
    CHECK(own(engine::write_positions{positions::one(3)}) == std::pair<index, index>{3, 1});
    CHECK(own(engine::write_positions{.suffix = true}) == std::pair<index, index>{2, 3});
}

TEST_CASE("a pair goes from one prompt to the other in the context of either", "[engine][prompt_pair]") {
    engine::prompt_pair const first{4, 7};
    CHECK(first.context == 4);
    CHECK(first.other() == 7);
    engine::prompt_pair const second{4, 7, 7};
    CHECK(second.other() == 4);
    CHECK(engine::prompt_pair{4, 4}.other() == 4);
    // the other context is that of the same path
    auto const turned = engine::in_other_context(first);
    CHECK(turned.from == 4);
    CHECK(turned.to == 7);
    CHECK(turned.context == 7);
    CHECK(engine::in_other_context(turned).context == 4);
    engine::prompt_pair const placed{4, 7, 4, engine::write_positions{positions::one(1)}};
    CHECK(engine::in_other_context(placed).positions->at == positions::one(1));
}

TEST_CASE("rows are those of the context, wherever the path goes", "[engine][prompt_pair]") {
    tokens const five{1, 2, 3, 4, 5}, three{1, 2, 3};
    for (engine::prompt_pair const& pair : {engine::prompt_pair{4, 7}, engine::prompt_pair{7, 4, 4}}) {
        auto const rows = engine::resolve_rows({}, five, three, pair);
        CHECK(rows.start == 4);
        CHECK(rows.first == 4);
        CHECK(rows.other == 2);
        CHECK(rows.count == 1);
        CHECK(rows.of(4, pair) == 4);
        CHECK(rows.of(7, pair) == 2);
    }
}

TEST_CASE("positions that a pair does not have are an error", "[engine][prompt_pair][errors]") {
    tokens const five{1, 2, 3, 4, 5}, three{1, 2, 3};
    CHECK_THROWS_WITH(resolved({positions::one(3)}, five, three), contains("prompt 7") && contains("too few"));
    CHECK_THROWS_WITH(resolved({positions::one(-4)}, three, five), contains("prompt 4") && contains("too few"));
    CHECK_THROWS_WITH(resolved({positions{1, -1}}, five, three), contains("same side"));
    CHECK_THROWS_WITH(resolved({.suffix = true}, five, three), contains("prompts 4 and 7 have 5 and 3 tokens"));
}

}  // namespace
