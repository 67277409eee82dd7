#include <plateau/sweep/prompt_pair.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace sweep = plateau::sweep;
using plateau::hooks::positions;
using plateau::testing::contains;

using tokens = std::vector<plateau::token_id>;

std::array<index, 4> resolved(sweep::write_positions const& write, tokens const& a, tokens const& b) {
    auto const rows = sweep::resolve_rows(write, a, b, {4, 7});
    return {rows.start, rows.first, rows.other, rows.count};
}

TEST_CASE("positions are each prompt's own", "[sweep][prompt_pair]") {
    tokens const five{1, 2, 3, 4, 5}, three{1, 2, 3};
    using rows = std::array<index, 4>;
    CHECK(resolved({}, five, three) == rows{4, 4, 2, 1});
    CHECK(resolved({positions::one(1)}, five, three) == rows{1, 1, 1, 1});
    CHECK(resolved({positions{-3, -1}}, five, three) == rows{2, 2, 0, 2});
    CHECK(resolved({positions{0, 2}}, five, three) == rows{0, 0, 0, 2});
    CHECK(resolved({positions{1, -1}}, five, five) == rows{1, 1, 1, 3});
}

TEST_CASE("a suffix begins where the prompts differ", "[sweep][prompt_pair]") {
    using rows = std::array<index, 4>;
    sweep::write_positions const suffix{.suffix = true};
    CHECK(resolved(suffix, {1, 2, 3, 4}, {1, 2, 9, 4}) == rows{2, 2, 2, 2});
    CHECK(resolved(suffix, {1, 2, 3, 4}, {1, 2, 3, 9}) == rows{3, 3, 3, 1});
    CHECK(resolved(suffix, {1, 2}, {9, 2}) == rows{0, 0, 0, 2});
    CHECK(resolved(suffix, {1, 2, 3}, {1, 2, 3}) == rows{2, 2, 2, 1});  // no difference: the last one
}

TEST_CASE("a pair may have positions of its own", "[sweep][prompt_pair]") {
    tokens const a{1, 2, 3, 4, 5}, b{1, 2, 9, 4, 5};
    auto const own = [&](std::optional<sweep::write_positions> positions) {
        auto const rows = sweep::resolve_rows({positions::one(1)}, a, b, {0, 1, false, positions});
        return std::pair{rows.first, rows.count};
    };
    CHECK(own({}) == std::pair<index, index>{1, 1});
    CHECK(own(sweep::write_positions{positions::one(3)}) == std::pair<index, index>{3, 1});
    CHECK(own(sweep::write_positions{.suffix = true}) == std::pair<index, index>{2, 3});
}

TEST_CASE("positions that a pair does not have are an error", "[sweep][prompt_pair][errors]") {
    tokens const five{1, 2, 3, 4, 5}, three{1, 2, 3};
    CHECK_THROWS_WITH(resolved({positions::one(3)}, five, three), contains("prompt 7") && contains("too few"));
    CHECK_THROWS_WITH(resolved({positions::one(-4)}, three, five), contains("prompt 4") && contains("too few"));
    CHECK_THROWS_WITH(resolved({positions{1, -1}}, five, three), contains("same side"));
    CHECK_THROWS_WITH(resolved({.suffix = true}, five, three), contains("prompts 4 and 7 have 5 and 3 tokens"));
}

}  // namespace
