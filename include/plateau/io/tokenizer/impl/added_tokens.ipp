#pragma once
/// Bodies of io/tokenizer/added_tokens.hpp.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/token_table.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

PLATEAU_INLINE added_token_splitter::added_token_splitter(std::vector<added_token> const& tokens) {
    std::vector<std::uint64_t> keys;
    bool single = false;
    for (auto const& token : tokens) {
        std::uint64_t const first = token.content.empty() ? 256 : static_cast<unsigned char>(token.content[0]);
        keys.push_back(first << 48 | (0xFFFFFFFFFFFFu - token.content.size()));
        single = single || token.single_word;
    }
    for (std::size_t const i : order_by(keys)) {
        auto token = tokens[i];
        if (token.content.empty()) continue;
        std::size_t const first = static_cast<unsigned char>(token.content[0]);
        ++begins_[first + 1];
        for (std::size_t second = 0; second < 256; ++second) {
            bool const fits = token.content.size() == 1 || static_cast<unsigned char>(token.content[1]) == second;
            if (fits) starts_[first << 8 | second] = true;
        }
        tokens_.push_back(std::move(token));
    }
    for (std::size_t first = 0; first < 256; ++first) begins_[first + 1] += begins_[first];
    // \w of Rust's regular expressions: Alphabetic, marks, decimal digits, connectors and joiners
    if (single) {
        word_character_ = word_pattern(R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9})"
                                       R"(\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}])");
    }
}

PLATEAU_INLINE_HOT added_token const* added_token_splitter::find(std::string_view text) const {
    std::size_t const first = static_cast<unsigned char>(text[0]);
    std::size_t const second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0;
    if (text.size() > 1 && !starts_[first << 8 | second]) return nullptr;
    for (std::size_t i = begins_[first]; i < begins_[first + 1]; ++i) {
        if (text.starts_with(tokens_[i].content)) return &tokens_[i];
    }
    return nullptr;
}

PLATEAU_INLINE bool added_token_splitter::is_single_word(std::string_view text, std::size_t begin,
                                                         std::size_t end) const {
    bool touched = false;
    auto const look = [&](std::string_view character) {
        word_character_.split(character, [&](std::string_view, bool match) { touched = touched || match; });
    };
    if (begin > 0) {
        auto const before = character_before(text, begin);
        look(text.substr(before, begin - before));
    }
    if (end < text.size()) look(text.substr(end, first_character(text.substr(end)).length));
    return !touched;
}

PLATEAU_INLINE_HOT void added_token_splitter::split(std::string_view text, piece_sink const& piece) const {
    std::size_t done = 0;
    for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
        added_token const* const token = find(text.substr(at));
        if (token == nullptr) {
            ++at;
            continue;
        }
        std::size_t const end = at + token->content.size();
        if (!token->single_word || is_single_word(text, at, end)) {
            std::size_t const from = token->strip_left ? white_space_before(text, at, done) : at;
            std::size_t const to = token->strip_right ? white_space_after(text, end) : end;
            if (from > done) piece(text.substr(done, from - done), no_token);
            piece(text.substr(from, to - from), token->id);
            done = to;
        }
        at = end;  // white space that a token took can still begin another
    }
    if (done < text.size()) piece(text.substr(done), no_token);
}

}  // namespace plateau::io
