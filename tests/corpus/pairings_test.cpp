#include <plateau/corpus/last_token.hpp>
#include <plateau/corpus/pairings.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using corpus::pair;
using plateau::index;

TEST_CASE("chains, disjoint pairs and all pairs", "[corpus][pairings]") {
    CHECK(corpus::chain_pairs(4) == std::vector<pair>{{0, 1}, {1, 2}, {2, 3}});
    CHECK(corpus::disjoint_pairs(4) == std::vector<pair>{{0, 1}, {2, 3}});
    CHECK(corpus::disjoint_pairs(5) == std::vector<pair>{{0, 1}, {2, 3}});
    CHECK(corpus::all_pairs(4) == std::vector<pair>{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}});
    for (index const few : {0, 1}) {
        CHECK(corpus::chain_pairs(few).empty());
        CHECK(corpus::disjoint_pairs(few).empty());
        CHECK(corpus::all_pairs(few).empty());
    }
    CHECK(corpus::all_pairs(65).size() == 65 * 64 / 2);
    CHECK_THROWS_AS(corpus::all_pairs(index{1} << 40), usage_error);
}

/// Prompts of two tokens that end as asked for.
corpus::token_lists ending_in(std::vector<token_id> const& ends) {
    corpus::token_lists prompts;
    for (token_id const end : ends) prompts.push_back({static_cast<token_id>(prompts.size()), end});
    return prompts;
}

TEST_CASE("pairs with the same last token are as many as there are, and share no prompt", "[corpus][last_token]") {
    auto const seed = GENERATE(1u, 2u, 3u);
    auto const prompts = ending_in({7, 8, 7, 9, 7, 7, 8, 8, 7});  // 7: five, 8: three, 9: one
    auto const pairs = corpus::same_last_token_pairs(prompts, seed);
    CHECK(pairs.size() == 3);
    std::set<index> used;
    for (auto const& [a, b] : pairs) {
        CHECK(prompts[static_cast<std::size_t>(a)].back() == prompts[static_cast<std::size_t>(b)].back());
        used.insert({a, b});
    }
    CHECK(used.size() == 6);
    CHECK(corpus::same_last_token_pairs(prompts, seed) == pairs);
    CHECK(corpus::same_last_token_pairs(ending_in({1, 2, 3}), seed).empty());
    CHECK(corpus::same_last_token_pairs({}, seed).empty());
    CHECK_THROWS_WITH(corpus::same_last_token_pairs({{1, 2}, {}}, seed), testing::contains("prompt 1 is empty"));
}

TEST_CASE("who is paired with whom is drawn at random", "[corpus][last_token]") {
    auto const prompts = ending_in({1, 1, 1, 1});
    std::map<pair, int> often;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        for (auto [a, b] : corpus::same_last_token_pairs(prompts, seed)) ++often[{std::min(a, b), std::max(a, b)}];
    }
    CHECK(often.size() == 6);
    for (auto const& [which, times] : often) CHECK(std::abs(times - 200) < 60);  // five standard deviations
}

TEST_CASE("triples match a context with one that ends alike and one that does not", "[corpus][last_token]") {
    auto const seed = GENERATE(range(0u, 20u));
    std::vector<token_id> const ends =
        GENERATE(std::vector<token_id>{5, 5, 5, 5, 5, 5, 5, 5, 6}, std::vector<token_id>{1, 1, 2, 2, 3, 3},
                 std::vector<token_id>{1, 1, 2, 3, 4, 5, 6}, std::vector<token_id>{4, 4, 4, 2, 2, 2, 9, 8});
    auto const prompts = ending_in(ends);
    auto const triples = corpus::last_token_triples(prompts, seed);
    CHECK(triples.size() <= prompts.size() / 3);
    CHECK_FALSE(triples.empty());
    std::set<index> used;
    for (auto const& t : triples) {
        auto const end = [&](index i) { return ends[static_cast<std::size_t>(i)]; };
        CHECK(end(t.context) == end(t.same));
        CHECK(end(t.context) != end(t.different));
        used.insert({t.context, t.same, t.different});
    }
    CHECK(used.size() == 3 * triples.size());
}

TEST_CASE("without two that end alike, or two that do not, there is no triple", "[corpus][last_token]") {
    CHECK(corpus::last_token_triples(ending_in({1, 2, 3, 4}), 1).empty());
    CHECK(corpus::last_token_triples(ending_in({1, 1, 1, 1, 1}), 1).empty());
    CHECK(corpus::last_token_triples({}, 1).empty());
    CHECK(corpus::last_token_triples(ending_in({1, 1, 2, 2, 3, 3}), 1).size() == 2);  // of three pairs one is given up
    CHECK_THROWS_AS(corpus::last_token_triples({{}}, 1), usage_error);
}

}  // namespace
