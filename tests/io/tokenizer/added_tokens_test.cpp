#include <plateau/io/tokenizer/added_tokens.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

added_token token(int id, std::string content, bool left = false, bool right = false, bool single = false) {
    return {id, std::move(content), left, right, false, single, false};
}

/// "[text]" for text between tokens, "id:text" for a token.
std::string split(std::vector<added_token> const& tokens, std::string_view text) {
    std::string found;
    added_token_splitter{tokens}.split(text, [&](std::string_view part, plateau::token_id id) {
        found += id != no_token ? std::to_string(id) + ":" + std::string(part) + ";" : "[" + std::string(part) + "]";
    });
    return found;
}

}  // namespace

TEST_CASE("added tokens are found in text", "[io][tokenizer]") {
    CHECK(split({}, "abc") == "[abc]");
    CHECK(split({token(1, "<a>")}, "").empty());
    CHECK(split({token(1, "<a>")}, "x<a><a>y<a") == "[x]1:<a>;1:<a>;[y<a]");
    CHECK(split({token(1, "<a>"), token(2, "<a>b"), token(3, "a>b")}, "<a>b<a>a>b") == "2:<a>b;1:<a>;3:a>b;");
    CHECK(split({token(1, "")}, "abc") == "[abc]");
}

TEST_CASE("added tokens take white space", "[io][tokenizer]") {
    CHECK(split({token(1, "<a>", true)}, "x \u3000 <a> \n<a> y") == "[x]1: \u3000 <a>;1: \n<a>;[ y]");
    CHECK(split({token(1, "<a>", false, true)}, " <a> \u00a0<a>\t") == "[ ]1:<a> \u00a0;1:<a>\t;");
    CHECK(split({token(1, "<a>", true, true)}, " <a> <a> é") == "1: <a> ;1:<a> ;[é]");
}

TEST_CASE("white space that a token took can begin another", "[io][tokenizer]") {
    CHECK(split({token(1, "<a>", false, true), token(2, "  ")}, "<a>   x") == "1:<a>   ;2:  ;[ x]");
}

TEST_CASE("single words", "[io][tokenizer]") {
    auto const cut = [](std::string_view text) { return split({token(1, "ab", false, false, true)}, text); };
    CHECK(cut("ab") == "1:ab;");
    CHECK(cut("x ab.") == "[x ]1:ab;[.]");
    for (std::string touching : {"xab", "abx", "ab_", "3ab", "éab", "ab\u0301", "ab\u200d", "abab", "ab\U0001F130"}) {
        CHECK(cut(touching) == "[" + touching + "]");
    }
    CHECK(cut("\u00b2ab") == "[\u00b2]1:ab;");  // no decimal digit
}
