#include <plateau/io/bpe.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

using namespace plateau::io;
using plateau::token_id;

namespace {

struct rule {
    token_id left, right, result;
};

/// As it is defined: again and again the first of the pairs of lowest rank.
std::vector<token_id> merge_slowly(std::vector<token_id> symbols, std::vector<rule> const& rules) {
    while (true) {
        std::size_t best = rules.size(), where = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            for (std::size_t rank = 0; rank < best; ++rank) {
                if (rules[rank].left == symbols[i] && rules[rank].right == symbols[i + 1]) {
                    best = rank;
                    where = i;
                }
            }
        }
        if (best == rules.size()) return symbols;
        symbols[where] = rules[best].result;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(where) + 1);
    }
}

}  // namespace

TEST_CASE("merging follows the ranks", "[io][tokenizer]") {
    auto const seed = GENERATE(range(0, 50));
    plateau::counter_rng rng{static_cast<std::uint64_t>(seed)};
    std::vector<std::string> texts{"a", "b", "c"};
    bpe::vocabulary tokens{{"a", 0}, {"b", 1}, {"c", 2}};
    std::vector<rule> rules;
    while (rules.size() < 25) {
        auto const left = rng.below(texts.size()), right = rng.below(texts.size());
        auto const joined = texts[left] + texts[right];
        if (tokens.contains(joined)) continue;
        auto const result = static_cast<token_id>(texts.size());
        tokens.emplace(joined, result);
        texts.push_back(joined);
        rules.push_back({static_cast<token_id>(left), static_cast<token_id>(right), result});
    }
    bpe model{tokens, std::nullopt, false};
    for (std::size_t rank = 0; rank < rules.size(); ++rank) {
        model.add_merge(rules[rank].left, rules[rank].right, rules[rank].result, static_cast<std::uint32_t>(rank));
    }
    bpe::scratch work;
    for (int repeat = 0; repeat < 20; ++repeat) {
        std::string word;
        std::vector<token_id> symbols;
        for (auto length = rng.below(60); word.size() < length;) {
            symbols.push_back(static_cast<token_id>(rng.below(3)));
            word += texts[static_cast<std::size_t>(symbols.back())];
        }
        std::vector<token_id> ids{-7};
        model.encode(word, ids, work);
        auto expected = merge_slowly(symbols, rules);
        expected.insert(expected.begin(), -7);
        CHECK(ids == expected);
    }
}
