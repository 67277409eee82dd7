#include <plateau/io/tokenizer/pattern.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

/// Matches in brackets, and what is between them.
std::string split(std::string_view pattern, std::string_view text) {
    std::string found;
    word_pattern{pattern}.split(text, [&](std::string_view piece, bool match) {
        found += match ? "[" + std::string(piece) + "]" : std::string(piece) + ";";
    });
    return found;
}

}  // namespace

TEST_CASE("matches and what is between them", "[io][tokenizer]") {
    CHECK(split("b+", "abbcb") == "a;[bb]c;[b]");
    CHECK(split("b+", "").empty());
    CHECK(split("b+", "xyz") == "xyz;");
    CHECK(split("\\p{L}", "é1") == "[é]1;");
    CHECK(split("x*", "axb") == "a;[x]b;");  // matches of nothing count as none
}

TEST_CASE("a pattern that PCRE2 refuses", "[io][tokenizer]") {
    CHECK_THROWS_AS(word_pattern{"(a"}, plateau::config_error);
}
