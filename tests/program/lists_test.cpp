#include <plateau/program/lists.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using plateau::program::blocks_of;
using list = std::vector<plateau::index>;

TEST_CASE("blocks are numbers and ranges, or all", "[program][lists]") {
    CHECK(blocks_of("--layers", "0,7,3", 8) == list{0, 7, 3});
    CHECK(blocks_of("--layers", "5:7,0", 8) == list{5, 6, 7, 0});
    CHECK(blocks_of("--layers", "", 3) == list{0, 1, 2});
}

TEST_CASE("blocks that are none are named, with those that are", "[program][lists]") {
    auto const wrong = [](char const* text) {
        return message_of<plateau::usage_error>([&] { blocks_of("--layers", text, 8); });
    };
    CHECK_THAT(wrong("8"), contains("--layers 8: there is no block 8; give numbers of blocks, 0 to 7"));
    CHECK_THAT(wrong("1,x"), contains("'x' is no number"));
    CHECK_THAT(wrong("1,"), contains("'' is no number"));
    CHECK_THAT(wrong("-1"), contains("'-1' is no number"));
    CHECK_THAT(wrong("3:2"), contains("it names no block"));
    CHECK_THAT(wrong("1000000000000"), contains("there is no block"));
}

}  // namespace
