#pragma once
/// Added tokens, which are recognised in the text before normalizer, pre-tokenizer and merges.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/pattern.hpp>

namespace plateau::io {

/// One added token, with the options of Hugging Face tokenizers.
struct added_token {
    token_id id = 0;
    std::string content;
    bool strip_left = false;   ///< takes the white space before it
    bool strip_right = false;  ///< and after it
    bool normalized = false;   ///< is normalized, and looked for in what the others leave once that is normalized
    bool single_word = false;  ///< is none where a letter, mark, digit or underscore touches it
    bool special = false;      ///< structure, not text: decoding can leave it out
};

/// Cuts text at added tokens: of those that begin at one place the longest counts, and the leftmost first.
class added_token_splitter {
public:
    /// Tokens without content are left out.
    /// @throws config_error if one is a single word and PCRE2 was not there at compile time
    explicit added_token_splitter(std::vector<added_token> const& tokens);

    /// Receives a part of the text; the id is no_token for text between tokens.
    using piece_sink = function_ref<void(std::string_view, token_id)>;

    /// Calls piece(part, id) for every part of the text in order, none of them empty. @pre valid UTF-8
    void split(std::string_view text, piece_sink const& piece) const;

private:
    added_token const* find(std::string_view text) const;
    bool is_single_word(std::string_view text, std::size_t begin, std::size_t end) const;

    std::vector<added_token> tokens_;          // by first byte, then the longest first
    std::array<std::uint32_t, 257> begins_{};  // of each first byte among them
    std::array<bool, 65536> starts_{};         // of two bytes: whether a token may begin with them
    word_pattern word_character_;              // if one is a single word
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/added_tokens.ipp>
#endif
