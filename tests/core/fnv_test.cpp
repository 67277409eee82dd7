#include <plateau/core/fnv.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/types.hpp>

#include "support/catch.hpp"

TEST_CASE("fnv1a of texts is the published function", "[core][fnv]") {
    using namespace std::string_view_literals;
    STATIC_REQUIRE(plateau::fnv1a(""sv) == 0xCBF29CE484222325u);
    STATIC_REQUIRE(plateau::fnv1a("a"sv) == 0xAF63DC4C8601EC8Cu);
    CHECK(plateau::fnv1a("foobar"sv) == 0x85944171F73967E8u);
    CHECK(plateau::fnv1a(std::string("chongo was here!\n")) == 0x46810940EFF5F915u);
    CHECK(plateau::fnv1a("\xFF"sv) == plateau::fnv1a(std::vector<std::uint8_t>{0xFF}));
}

TEST_CASE("fnv1a of integers takes one step for each", "[core][fnv]") {
    std::vector<plateau::token_id> const tokens{7, 65536, -1};
    std::uint64_t expected = 14695981039346656037u;
    for (auto const token : tokens) expected = (expected ^ static_cast<std::uint64_t>(token)) * 1099511628211u;
    CHECK(plateau::fnv1a(tokens) == expected);
    CHECK(plateau::fnv1a(std::span(tokens).first(2)) != expected);
}
