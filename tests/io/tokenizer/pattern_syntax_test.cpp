#include <plateau/io/tokenizer/pattern_syntax.hpp>

#include <string>
#include <string_view>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;

TEST_CASE("what both libraries read alike stays", "[io][tokenizer]") {
    for (std::string_view same :
         {R"((?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\p{Lu}]+[\r\n]*)",
          R"((?!a)(?=b)(?<!c)(?<=d)(?>e)(f))", R"(a*?b++c?\.\[\\)", "[^a-z\\]]{3}", "é中", R"(\P{Ll}{2,})"}) {
        CHECK(pcre_of_oniguruma(same, "t") == same);
    }
}

TEST_CASE("what they read differently is spelt out", "[io][tokenizer]") {
    std::string const space{detail::white_space_set};
    CHECK(pcre_of_oniguruma(R"(\s+(?!\S))", "t") == "[" + space + "]+(?![^" + space + "])");
    CHECK(pcre_of_oniguruma(R"([^\s\d])", "t") == "[^" + space + R"(\p{Nd}])");
    CHECK(pcre_of_oniguruma(R"(\u00e9\xe9\x{1F600})", "t") == R"(\x{00e9}\x{e9}\x{1F600})");
    CHECK(pcre_of_oniguruma("^a$", "t") == "(?m:^)a(?m:$)");
}

TEST_CASE("what is not supported is named", "[io][tokenizer][bad-input]") {
    for (std::string_view bad :
         {R"(\w)",   R"(\b)",   R"([\S])", "[a[b]]", "[a&&b]", "[[:alpha:]]", R"(\p{Han})", R"(\p{^L})",
          R"(\pL)",  "(?i)a",   "(?<n>a)", "(?m:a)", "a{,3}",  "a{1,3}+",     "a{x}",       "a{",
          R"(\p{L)", R"(\u12)", R"(\x{})", R"(\xg)", R"(\)",   R"(\h)",       R"(\é)",      "[]a]"}) {
        CAPTURE(std::string(bad));
        auto const message = message_of<plateau::config_error>([&] { pcre_of_oniguruma(bad, "there.json"); });
        CHECK_THAT(message, contains("there.json") && contains("not supported"));
    }
}
