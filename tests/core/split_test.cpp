#include <plateau/core/split.hpp>

#include "support/catch.hpp"

namespace {

using plateau::split;

TEST_CASE("a list is split at its commas, empty parts too", "[core][split]") {
    CHECK(split("a,b.*") == std::vector<std::string>{"a", "b.*"});
    CHECK(split("a") == std::vector<std::string>{"a"});
    CHECK(split(",a,") == std::vector<std::string>{"", "a", ""});
    CHECK(split("") == std::vector<std::string>{""});
}

}  // namespace
