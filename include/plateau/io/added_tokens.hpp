#pragma once
/// Tokens that are recognised in the text itself, before anything else happens to it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

/// One added token, with the options of Hugging Face tokenizers.
struct added_token {
    token_id id = 0;
    std::string content;
    bool strip_left = false;   ///< takes the white space before it
    bool strip_right = false;  ///< and after it
    bool normalized = false;   ///< is looked for after the others, in what they leave
};

/// Cuts text at added tokens: of those that begin at one place the longest counts, and the leftmost first.
class added_token_splitter {
public:
    explicit added_token_splitter(std::vector<added_token> const& tokens) {
        std::vector<std::uint64_t> keys;
        for (auto const& token : tokens) keys.push_back(~std::uint64_t{token.content.size()});  // the longest first
        for (std::size_t const i : order_by(keys)) {
            auto const& token = tokens[i];
            if (token.content.empty()) continue;
            passes_[token.normalized ? 1 : 0][static_cast<unsigned char>(token.content[0])].push_back(token);
        }
    }

    using piece_sink = std::function<void(std::string_view, std::optional<token_id>)>;

    /// Calls piece(text, id) for every part of the text in order; id is empty for text between the tokens.
    void split(std::string_view text, piece_sink const& piece) const {
        split_pass(0, text, [&](std::string_view part, std::optional<token_id> id) {
            if (id) piece(part, id);
            else split_pass(1, part, piece);
        });
    }

private:
    using buckets = std::array<std::vector<added_token>, 256>;  // by first byte

    added_token const* find(std::size_t pass, std::string_view text) const {
        for (auto const& token : passes_[pass][static_cast<unsigned char>(text[0])]) {
            if (text.starts_with(token.content)) return &token;
        }
        return nullptr;
    }

    static std::size_t white_space_before(std::string_view text, std::size_t end, std::size_t least) {
        while (end > least) {
            std::size_t begin = end - 1;
            while (begin > least && (static_cast<unsigned char>(text[begin]) & 0xC0u) == 0x80u) --begin;
            if (!is_white_space(first_character(text.substr(begin, end - begin)).code_point)) break;
            end = begin;
        }
        return end;
    }

    static std::size_t white_space_after(std::string_view text, std::size_t begin) {
        while (begin < text.size()) {
            auto const [character, length] = first_character(text.substr(begin));
            if (!is_white_space(character)) break;
            begin += length;
        }
        return begin;
    }

    void split_pass(std::size_t pass, std::string_view text, piece_sink const& piece) const {
        std::size_t done = 0;
        std::size_t at = 0;
        while (at < text.size()) {
            added_token const* const token = find(pass, text.substr(at));
            if (token == nullptr) {
                ++at;
                continue;
            }
            std::size_t const end = at + token->content.size();
            std::size_t const from = token->strip_left ? white_space_before(text, at, done) : at;
            std::size_t const to = token->strip_right ? white_space_after(text, end) : end;
            if (from > done) piece(text.substr(done, from - done), std::nullopt);
            piece(text.substr(from, to - from), token->id);
            done = at = to;
        }
        if (done < text.size()) piece(text.substr(done), std::nullopt);
    }

    std::array<buckets, 2> passes_;
};

}  // namespace plateau::io
