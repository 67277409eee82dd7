#include <plateau/io/tokenizer/bpe.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
    token_table tokens{3};
    for (token_id id = 0; id < 3; ++id) tokens.insert(texts[static_cast<std::size_t>(id)], id);
    std::vector<rule> rules;
    while (rules.size() < 25) {
        auto const left = rng.below(texts.size()), right = rng.below(texts.size());
        auto const joined = texts[left] + texts[right];
        if (tokens.find(joined) != no_token) continue;
        auto const result = static_cast<token_id>(texts.size());
        tokens.insert(joined, result);
        texts.push_back(joined);
        rules.push_back({static_cast<token_id>(left), static_cast<token_id>(right), result});
    }
    bpe model{tokens, {.characters = seed % 2 == 0}, texts.size(), rules.size()};
    for (std::size_t rank = 0; rank < rules.size(); ++rank) {
        auto const& [left, right, result] = rules[rank];
        model.add_merge(left, right, {static_cast<std::uint32_t>(rank), result},
                        texts[static_cast<std::size_t>(result)]);
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
        ids.assign(1, -7);
        model.encode(word, ids, work);  // by what it knows of the word now
        CHECK(ids == expected);
    }
}

namespace {

/// Texts are ids 0, 1, ...; each of them that the ones before can make by two is a merge.
bpe make(std::vector<std::string> const& texts, bpe_options options) {
    token_table table{texts.size()};
    for (std::size_t i = 0; i < texts.size(); ++i) table.insert(texts[i], static_cast<token_id>(i));
    bpe model{table, options, texts.size(), 0};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (std::size_t cut = 1; cut < texts[i].size(); ++cut) {
            auto const left = table.find(texts[i].substr(0, cut)), right = table.find(texts[i].substr(cut));
            if (left == no_token || right == no_token) continue;
            model.add_merge(left, right, {static_cast<std::uint32_t>(i), static_cast<token_id>(i)}, texts[i]);
        }
    }
    return model;
}

std::vector<token_id> encode(bpe const& model, std::string_view word) {
    bpe::scratch work;
    std::vector<token_id> ids;
    model.encode(word, ids, work);
    return ids;
}

using ids = std::vector<token_id>;

}  // namespace

TEST_CASE("symbols are bytes or characters", "[io][tokenizer]") {
    std::vector<std::string> const texts{"\xC3", "\xA9", "é", "a"};
    CHECK(encode(make(texts, {}), "aé") == ids{3, 2});
    CHECK(encode(make({"\xC3", "\xA9", "a"}, {}), "aé") == ids{2, 0, 1});
    CHECK(encode(make({"\xC3", "\xA9", "a"}, {.characters = true}), "aé") == ids{2});
}

TEST_CASE("symbols without a token", "[io][tokenizer]") {
    std::vector<std::string> const texts{"?", "a", "<0xC3>", "<0xA9>", "<0xAA>"};
    CHECK(encode(make(texts, {.characters = true}), "aééa") == ids{1, 1});
    CHECK(encode(make(texts, {.characters = true, .unknown = 0}), "aééa") == ids{1, 0, 0, 1});
    CHECK(encode(make(texts, {.characters = true, .fuse_unknown = true, .unknown = 0}), "aééa") == ids{1, 0, 1});
    CHECK(encode(make(texts, {.characters = true, .byte_fallback = true, .unknown = 0}), "aéê") == ids{1, 2, 3, 2, 4});
    CHECK(encode(make(texts, {.characters = true, .byte_fallback = true, .unknown = 0}), "bé") == ids{2, 3, 0});
    CHECK(encode(make(texts, {.characters = true, .byte_fallback = true, .unknown = 0}), "bëba") == ids{0, 0, 0, 1});
    CHECK(encode(make(texts, {.fuse_unknown = true, .unknown = 0}), "bba") == ids{0, 1});
}

TEST_CASE("a word that is a token", "[io][tokenizer]") {
    std::vector<std::string> const texts{"a", "b", "c", "ab", "bc", "abc"};
    token_table table{6};
    for (token_id id = 0; id < 6; ++id) table.insert(texts[static_cast<std::size_t>(id)], id);
    bpe taken_apart{table, {}, 6, 0}, whole{table, {.whole_words = true}, 6, 0};
    for (auto* model : {&taken_apart, &whole}) model->add_merge(1, 2, {0, 4}, "bc");
    for (int repeat = 0; repeat < 3; ++repeat) {
        CHECK(encode(taken_apart, "abc") == ids{0, 4});
        CHECK(encode(taken_apart, "bc") == ids{4});
        CHECK(encode(whole, "abc") == ids{5});
        CHECK(encode(whole, "abcb") == ids{0, 4, 1});
    }
}

TEST_CASE("words are found in a text that nothing cuts", "[io][tokenizer]") {
    std::string const mark = "▁";
    auto const separate = make({mark, "a", "b", mark + "a", "ab", mark + "ab", mark + mark}, {.characters = true});
    CHECK(encode(separate, mark + "ab" + mark + mark + "ab" + mark) == ids{5, 0, 5, 0});
    CHECK(encode(separate, mark + mark + mark) == ids{6, 0});
    auto const reaching =
        make({mark, "a", "b", "b" + mark, "ab" + mark, mark + "a", mark + "ab"}, {.characters = true});
    CHECK(encode(reaching, "ab" + mark + "ab") == ids{4, 1, 2});
    CHECK(encode(reaching, mark + "a" + mark + "ab") == ids{5, 6});
}
