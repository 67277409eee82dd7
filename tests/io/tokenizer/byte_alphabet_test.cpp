#include <plateau/io/tokenizer/byte_alphabet.hpp>

#include <set>
#include <string>

#include "support/catch.hpp"

using namespace plateau::io;

TEST_CASE("every byte has one letter", "[io][tokenizer]") {
    std::set<int> bytes(detail::letter_bytes.begin(), detail::letter_bytes.end());
    CHECK(bytes.size() == 257);  // and -1
    CHECK(bytes_of_letters("Ġthe") == " the");
    CHECK(bytes_of_letters("ĉĊ") == "\t\n");
    CHECK(bytes_of_letters("Ã©") == "é");
    CHECK(bytes_of_letters("Ā") == std::string(1, '\0'));
    CHECK(bytes_of_letters("ĠģĤŃ") == " \x81\x82\xAD");
    CHECK(bytes_of_letters("").value().empty());
    CHECK_FALSE(bytes_of_letters("a b").has_value());
    CHECK_FALSE(bytes_of_letters("中").has_value());
    CHECK_FALSE(bytes_of_letters("\xff").has_value());
}
