#include <plateau/io/tokenizer/token_table.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

using namespace plateau::io;
using plateau::token_id;

TEST_CASE("texts are found again, and others not", "[io][tokenizer]") {
    plateau::counter_rng rng{5};
    token_table table;
    std::map<std::string, token_id> known;
    CHECK(table.find("") == no_token);
    for (token_id id = 0; id < 5000; ++id) {
        std::string text;
        for (auto size = rng.below(20); text.size() < size;) text += static_cast<char>(rng.below(4));
        table.insert(text, id);
        known[text] = id;  // the last word holds
    }
    bool same = true;
    for (auto const& [text, id] : known) same &= table.find(text) == id;
    CHECK(same);
    CHECK(table.find("a") == no_token);
    CHECK(table.find(std::string(100, 'a')) == no_token);
}

TEST_CASE("merges are found again, and others not", "[io][tokenizer]") {
    plateau::counter_rng rng{6};
    merge_table table;
    std::map<std::pair<token_id, token_id>, token_id> known;
    CHECK(table.find(0, 0).result == no_token);
    for (token_id id = 0; id < 5000; ++id) {
        auto const left = static_cast<token_id>(rng.below(90)), right = static_cast<token_id>(rng.below(90));
        table.insert(left, right, {static_cast<std::uint32_t>(id) + 7, id});
        known[{left, right}] = id;
    }
    bool same = true;
    for (token_id left = 0; left < 90; ++left) {
        for (token_id right = 0; right < 90; ++right) {
            auto const at = known.find({left, right});
            auto const found = table.find(left, right);
            same &= at == known.end()
                        ? found.result == no_token
                        : found.result == at->second && found.rank == static_cast<std::uint32_t>(at->second) + 7;
        }
    }
    CHECK(same);
}
