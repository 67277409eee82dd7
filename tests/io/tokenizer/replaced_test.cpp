#include <plateau/io/tokenizer/replaced.hpp>

#include "support/catch.hpp"

using plateau::io::replaced;

TEST_CASE("every occurrence is replaced", "[io][tokenizer]") {
    CHECK(replaced("a b  c", " ", "▁") == "a▁b▁▁c");
    CHECK(replaced("aaa", "aa", "a") == "aa");  // what comes out is not looked at again
    CHECK(replaced("aba", "a", "") == "b");
    CHECK(replaced("", "a", "b").empty());
}
