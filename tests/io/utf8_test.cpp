#include <plateau/io/utf8.hpp>

#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

std::string encode(char32_t c) {
    auto const tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
    if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST_CASE("every code point but the surrogates", "[io][utf8]") {
    bool same = true, refused = true;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        auto const bytes = encode(c);
        auto const [found, length] = first_character(bytes + "x");
        if (c >= 0xD800 && c < 0xE000) refused &= length == 0;
        else
            same &= found == c && length == bytes.size() &&
                    first_character(bytes.substr(0, bytes.size() - 1)).length < bytes.size();
    }
    CHECK(same);
    CHECK(refused);
}

TEST_CASE("bytes that are not UTF-8", "[io][utf8]") {
    STATIC_REQUIRE(valid_utf8_prefix("") == 0);
    STATIC_REQUIRE(valid_utf8_prefix("abc") == 3);
    for (std::string_view bad :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82",
          "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
        CHECK(valid_utf8_prefix("é" + std::string(bad)) == 2);
    }
}

TEST_CASE("white space", "[io][utf8]") {
    int count = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) count += is_white_space(c);
    CHECK(count == 25);  // PropList.txt
    CHECK(is_white_space(0x85));
    CHECK_FALSE(is_white_space(0x180E));
    CHECK_FALSE(is_white_space(0x200B));
}

TEST_CASE("what is not UTF-8 becomes U+FFFD", "[io][utf8]") {
    std::string const mark = "\uFFFD";
    CHECK(mended_utf8("").empty());
    CHECK(mended_utf8("aé中😀") == "aé中😀");
    CHECK(mended_utf8("\xFF\x80x") == mark + mark + "x");
    CHECK(mended_utf8("\xE2\x82x") == mark + "x");  // the longest beginning of a character is one
    CHECK(mended_utf8("\xF0\x9F\x98") == mark);
    CHECK(mended_utf8("\xF0\x9F\x98\xC3\xA9") == mark + "é");
    CHECK(mended_utf8("\xF0\x9F\xC3") == mark + mark);
    CHECK(mended_utf8("\xE0\x80\x80") == mark + mark + mark);
    CHECK(mended_utf8("\xED\xA0\x80") == mark + mark + mark);
    CHECK(mended_utf8("\xF4\x90\x80\x80") == mark + mark + mark + mark);
    CHECK(mended_utf8("\xC3") == mark);
    CHECK(mended_utf8("\xF1\x80\x80\x80\xF1\x80\x80") == "\xF1\x80\x80\x80" + mark);
}

TEST_CASE("characters and white space from both sides", "[io][utf8]") {
    CHECK(character_before("aé", 3) == 1);
    CHECK(character_before("é", 2) == 0);
    CHECK(white_space_before("a \u3000", 5, 0) == 1);
    CHECK(white_space_before("a   ", 4, 2) == 2);
    CHECK(white_space_before("a", 1, 0) == 1);
    CHECK(white_space_after("a \u3000b", 1) == 5);
    CHECK(white_space_after("a  ", 1) == 3);
}
