#include <plateau/hooks/parse_positions.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using plateau::hooks::parse_positions;

TEST_CASE("positions are read as last, N or N:M, and mean the same of a prompt", "[hooks][parse_positions]") {
    struct example {
        char const* text;
        plateau::index first, end;  // in a prompt of 7 tokens
    };
    for (auto const& [text, first, end] : {example{"last", 6, 7},
                                           {"2", 2, 3},
                                           {"-2", 5, 6},
                                           {"1:4", 1, 4},
                                           {"3:", 3, 7},
                                           {":2", 0, 2},
                                           {"-3:-1", 4, 6},
                                           {"-2:", 5, 7}}) {
        CAPTURE(text);
        auto const at = parse_positions(text);
        CHECK(at.first_in(7) == first);
        CHECK(at.end_in(7) == end);
    }
}

TEST_CASE("what means no positions is refused", "[hooks][parse_positions]") {
    for (auto const* text : {"", "first", "1.5", "3:2", "2:2", "1:0", "-1:-3", "1:2:3"}) {
        CAPTURE(text);
        CHECK_THAT(plateau::testing::message_of<plateau::usage_error>([&] { parse_positions(text); }),
                   plateau::testing::contains("means no positions: give last, N or N:M"));
    }
}

}  // namespace
