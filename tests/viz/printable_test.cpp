#include <plateau/viz/printable.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::viz;

TEST_CASE("valid UTF-8 stays, the rest is replaced byte by byte", "[viz][printable]") {
    CHECK(printable("d(α) → ∞ \U0001F600") == "d(α) → ∞ \U0001F600");
    CHECK(printable("a\tb\nc\x7F") == "a b c ");
    CHECK(printable("x\xFFy") == "x\uFFFDy");
    CHECK(printable("\xC0\xAF") == "\uFFFD\uFFFD");                      // overlong
    CHECK(printable("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");            // a surrogate
    CHECK(printable("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
    CHECK(printable("\xE2\x86") == "\uFFFD\uFFFD");                      // cut short
    CHECK(printable("").empty());
}

TEST_CASE("long text ends in an ellipsis at a character", "[viz][printable]") {
    auto const bytes = [](std::string_view text) { return static_cast<double>(text.size()); };
    CHECK(shortened("abcdef", 6, bytes) == "abcdef");
    CHECK(shortened("abcdefgh", 6, bytes) == "abc…");
    CHECK(shortened("αβγδ", 7, bytes) == "αβ…");
    CHECK(shortened("abc", 0, bytes) == "…");
}

}  // namespace
