#include <plateau/corpus/token_replacement.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using corpus::replacement_order;
using corpus::token_lists;

TEST_CASE("tokens that differ are replaced one by one", "[corpus][replacement]") {
    std::vector<token_id> const a{1, 2, 3, 4}, b{9, 2, 8, 7};
    CHECK(corpus::replacement_path(a, b) == token_lists{{1, 2, 3, 4}, {9, 2, 3, 4}, {9, 2, 8, 4}, {9, 2, 8, 7}});
    CHECK(corpus::replacement_path(a, b, replacement_order::from_the_end) ==
          token_lists{{1, 2, 3, 4}, {1, 2, 3, 7}, {1, 2, 8, 7}, {9, 2, 8, 7}});
    CHECK(corpus::replacement_path(a, a) == token_lists{a});
    CHECK(corpus::replacement_path({5}, {6}) == token_lists{{5}, {6}});
}

TEST_CASE("prompts between which nothing can be replaced are refused", "[corpus][replacement]") {
    CHECK_THROWS_AS(corpus::replacement_path({1, 2}, {1}), shape_error);
    CHECK_THROWS_AS(corpus::replacement_path({}, {}), usage_error);
}

}  // namespace
