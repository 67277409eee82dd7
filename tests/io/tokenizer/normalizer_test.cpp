#include <plateau/io/tokenizer/normalizer.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace plateau::io;

namespace {

using action = text_step::action;

std::string normal(std::vector<text_step> const& steps, std::string_view text) { return normalizer{steps}(text); }

}  // namespace

TEST_CASE("normalization forms", "[io][tokenizer]") {
    CHECK(normal({{action::nfc}}, "e\u0301 A\u030a") == "é Å");
    CHECK(normal({{action::nfc}}, "q\u0323\u0307 q\u0307\u0323") == "q\u0323\u0307 q\u0323\u0307");
    CHECK(normal({{action::nfc}}, "\u1112\u1161\u11ab") == "\ud55c");
    CHECK(normal({{action::nfc}}, "\u212b ﬁ") == "Å ﬁ");
    CHECK(normal({{action::nfd}}, "é") == "e\u0301");
    CHECK(normal({{action::nfkc}}, "ﬁ ² e\u0301") == "fi 2 é");
    CHECK(normal({{action::nfkd}}, "ﬁ é") == "fi e\u0301");
    CHECK(normal({{action::nfc}}, "plain\x01 text").size() == 11);
    CHECK(normal({{action::nfc}}, std::string_view("\0e\u0301\0", 5)) == std::string_view("\0é\0", 4));
    CHECK(normal({{action::nfc}}, "").empty());
}

TEST_CASE("normalization forms are those of Unicode 9", "[io][tokenizer]") {
    CHECK(normal({{action::nfc}}, "\u0301\U00011d97") == "\u0301\U00011d97");  // of Unicode 11, class 9
    CHECK(normal({{action::nfkc}}, "\u32ff") == "\u32ff");
    CHECK(normal({{action::nfc}}, "\U00011935\U00011930e\u0301") == "\U00011935\U00011930é");
    CHECK(normal({{action::nfc}}, "\uac00\u11a7") == "\uac00\u11a7");  // utf8proc 2.8 alone would drop the second
    char32_t before = 0;
    for (auto const& [first, last] : detail::normalized_later) {
        CHECK(before < first);
        CHECK(first <= last);
        before = last;
    }
}

TEST_CASE("the other steps", "[io][tokenizer]") {
    CHECK(normal({{action::prepend, "▁"}}, "a") == "▁a");
    CHECK(normal({{action::prepend, "▁"}}, "").empty());
    CHECK(normal({{action::replace, " ", "▁"}}, " a  b") == "▁a▁▁b");
    CHECK(normal({{action::prepend, "▁"}, {action::replace, " ", "▁"}}, "a b") == "▁a▁b");
    CHECK(normal({{action::strip_left}}, " \u3000a ") == "a ");
    CHECK(normal({{action::strip_right}}, " a \u3000\n") == " a");
    CHECK(normal({{action::strip_left}, {action::strip_right}}, " \n").empty());
    CHECK(normalizer{{}}.empty());
    CHECK_FALSE(normalizer{{{action::strip_left}}}.empty());
}
