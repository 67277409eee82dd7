#include <plateau/io/tokenizer/pretokenizer.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <plateau/io/tokenizer/pattern_syntax.hpp>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

using words = std::vector<std::string>;
using action = text_step::action;

words split(std::vector<text_step> const& steps, std::string_view text, bool first = true) {
    words found;
    pretokenizer{steps}.split(text, first, [&](std::string_view word) { found.emplace_back(word); });
    return found;
}

text_step const gpt2{action::split_at_pattern, pcre_of_oniguruma(gpt2_words, "")};

text_step cut(std::string const& pattern, split_behavior behavior, bool invert = false) {
    return {action::split_at_pattern, pattern, "", behavior, invert};
}

}  // namespace

TEST_CASE("words of GPT-2", "[io][tokenizer]") {
    auto const cut = [](std::string_view text) { return split({gpt2}, text); };
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

TEST_CASE("digits", "[io][tokenizer]") {
    CHECK(split({cut(R"(\p{N})", split_behavior::isolated), gpt2}, "a  12 b½") ==
          words{"a", "  ", "1", "2", " b", "½"});
    CHECK(split({cut(R"(\p{N})", split_behavior::contiguous), gpt2}, "a  12 b") == words{"a", "  ", "12", " b"});
}

TEST_CASE("a prefix", "[io][tokenizer]") {
    CHECK(split({{action::prefix, " "}, gpt2}, "a b") == words{" a", " b"});
    CHECK(split({{action::prefix, " "}, gpt2}, " a") == words{" a"});
    CHECK(split({{action::prefix, " "}, gpt2}, "\na") == words{" ", "\n", "a"});
    CHECK(split({{action::prefix, " "}}, "").empty());
    CHECK(split({cut("1", split_behavior::isolated), {action::prefix, "_"}}, "a1b") == words{"_a", "_1", "_b"});
    CHECK(split({cut("1", split_behavior::isolated), {action::prefix_first, "_"}}, "a1b") == words{"_a", "1", "b"});
    CHECK(split({{action::prefix_first, "_"}}, "ab", false) == words{"ab"});
    CHECK(split({cut("1", split_behavior::removed), {action::prefix_first, "_"}}, "1b") == words{"b"});
}

TEST_CASE("what becomes of matches", "[io][tokenizer]") {
    auto const with = [](split_behavior behavior, std::string_view text, bool invert = false) {
        auto const found = split({cut("-", behavior, invert)}, text);
        auto const literal = split({{action::split_at_text, "-", "", behavior, invert}}, text);
        CHECK(found == literal);
        return found;
    };
    CHECK(with(split_behavior::isolated, "-a--b-") == words{"-", "a", "-", "-", "b", "-"});
    CHECK(with(split_behavior::removed, "-a--b-") == words{"a", "b"});
    CHECK(with(split_behavior::contiguous, "-a--b-") == words{"-", "a", "--", "b", "-"});
    CHECK(with(split_behavior::merged_with_previous, "-a--b-") == words{"-", "a-", "-", "b-"});
    CHECK(with(split_behavior::merged_with_next, "-a--b-") == words{"-a", "-", "-b", "-"});
    CHECK(with(split_behavior::removed, "-a--b-", true) == words{"-", "-", "-", "-"});
    CHECK(with(split_behavior::merged_with_previous, "a-b", true) == words{"a", "-b"});
    CHECK(with(split_behavior::isolated, "").empty());
}

TEST_CASE("Metaspace", "[io][tokenizer]") {
    std::vector<text_step> const metaspace{{action::replace, " ", "▁"},
                                           {action::prefix, "▁"},
                                           {action::split_at_text, "▁", "", split_behavior::merged_with_next}};
    CHECK(split(metaspace, "a b  c ") == words{"▁a", "▁b", "▁", "▁c", "▁"});
    CHECK(split(metaspace, " a") == words{"▁a"});
}
