#pragma once
/// Bodies of io/tokenizer/scored_merges.hpp.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/scored_merges.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/token_table.hpp>

namespace plateau::io {

PLATEAU_INLINE void add_scored_merges(bpe& model, std::span<spelt_token const> tokens, std::span<double const> scores) {
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;
    std::vector<std::uint64_t> keys;  // ascend as scores descend
    for (double score : scores) {
        auto const bits = std::bit_cast<std::uint64_t>(score + 0.0);  // -0 counts as 0
        keys.push_back((bits & sign) != 0 ? bits : ~bits & ~sign);
    }
    std::vector<char> lengths(1);  // whether a token is that long: spares absurdly long ones the search at every place
    for (auto const& token : tokens) {
        if (token.text.size() >= lengths.size()) lengths.resize(token.text.size() + 1);
        lengths[token.text.size()] = 1;
    }
    std::uint32_t rank = 0;
    std::uint64_t before = 0;
    for (std::size_t const i : order_by(keys)) {
        if (keys[i] != before) ++rank;
        before = keys[i];
        std::string_view const text = tokens[i].text;
        if (model.tokens().find(text) != tokens[i].id) continue;  // another token has the same text
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            bool const inside = (static_cast<unsigned char>(text[cut]) & 0xC0u) == 0x80u;  // a character
            if (inside || lengths[cut] == 0 || lengths[text.size() - cut] == 0) continue;
            token_id const left = model.tokens().find(text.substr(0, cut));
            if (left == no_token) continue;
            token_id const right = model.tokens().find(text.substr(cut));
            if (right != no_token) model.add_merge(left, right, {rank, tokens[i].id}, text);
        }
    }
}

}  // namespace plateau::io
