#include <plateau/io/pretokenizer.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

using words = std::vector<std::string>;

words split(pretokenizer_options options, std::string_view text) {
    words found;
    pretokenizer{options}.split(text, [&](std::string_view word) { found.emplace_back(word); });
    return found;
}

}  // namespace

TEST_CASE("words of GPT-2", "[io][tokenizer]") {
    auto const cut = [](std::string_view text) { return split({}, text); };
    CHECK(cut("").empty());
    CHECK(cut("The house at 12") == words{"The", " house", " at", " 12"});
    CHECK(cut("they'd've I'LL") == words{"they", "'d", "'ve", " I", "'", "LL"});
    CHECK(cut("a  b") == words{"a", " ", " b"});
    CHECK(cut("a \n b \n") == words{"a", " \n", " b", " \n"});
    CHECK(cut("x2y½²") == words{"x", "2", "y", "½²"});
    CHECK(cut("so... (é)") == words{"so", "...", " (", "é", ")"});
    CHECK(cut("a\u00a0b\u3000\u3000c") == words{"a", "\u00a0", "b", "\u3000", "\u3000", "c"});
    CHECK(cut("a\u180eb") == words{"a", "\u180e", "b"});
    CHECK(cut(" \u180e") == words{" \u180e"});  // no white space: joins the space before it
    CHECK(cut(std::string_view("\0 \0", 3)) == words{std::string(1, '\0'), std::string(" \0", 2)});
}

TEST_CASE("digits of SmolLM2", "[io][tokenizer]") {
    CHECK(split({digit_split::each, false, true}, "a  12 b½") == words{"a", "  ", "1", "2", " b", "½"});
    CHECK(split({digit_split::runs, false, true}, "a  12 b") == words{"a", "  ", "12", " b"});
    CHECK(split({digit_split::none, false, true}, "a  12 b") == words{"a", " ", " 12", " b"});
}

TEST_CASE("a space before every piece, and no words", "[io][tokenizer]") {
    CHECK(split({digit_split::none, true, true}, "a b") == words{" a", " b"});
    CHECK(split({digit_split::none, true, true}, " a") == words{" a"});
    CHECK(split({digit_split::none, true, true}, "\na") == words{" ", "\n", "a"});
    CHECK(split({digit_split::each, true, true}, "a1") == words{" a", " 1"});
    CHECK(split({digit_split::none, false, false}, "a b\n") == words{"a b\n"});
}

TEST_CASE("a pattern that PCRE2 refuses", "[io][tokenizer]") {
    CHECK_THROWS_AS(word_pattern{"(a"}, plateau::config_error);
    words found;
    word_pattern{"b+"}.split("abbcb", [&](std::string_view word) { found.emplace_back(word); });
    CHECK(found == words{"a", "bb", "c", "b"});
}
