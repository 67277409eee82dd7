#include <plateau/corpus/padded_prompts.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::corpus;
using prompts = std::vector<std::vector<plateau::token_id>>;

TEST_CASE("shorter prompts are padded with -1 on the right", "[corpus][padded_prompts]") {
    prompts const some{{3, 1}, {4}, {1, 5, 9}};
    CHECK(longest_of(some) == 3);
    CHECK(lengths_of(some) == std::vector<std::int64_t>{2, 1, 3});
    CHECK(ragged(some));
    CHECK(padded_tokens(some, 3) == std::vector<std::int64_t>{3, 1, -1, 4, -1, -1, 1, 5, 9});
    CHECK_FALSE(ragged(prompts{{1, 2}, {3, 4}}));
}

}  // namespace
