#pragma once
/// Byte-pair encoding of one word.

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/token_table.hpp>

namespace plateau::io {

/// Options of splitting a word into the symbols that merging starts from.
struct bpe_options {
    bool characters = false;      ///< symbols are characters, else bytes
    bool byte_fallback = false;   ///< a character without a token becomes its bytes, if all have tokens "<0xE2>"
    bool fuse_unknown = false;    ///< unknown symbols in a row are one unknown token
    bool whole_words = false;     ///< a word that is itself a token is not taken apart ("ignore_merges")
    token_id unknown = no_token;  ///< stands for a symbol that has no token; without it such symbols vanish
};

/// A vocabulary by the text that its tokens stand for, and the merges between them. Encoding is safe from many threads.
class bpe {
public:
    /// Working memory of encode; one for each thread.
    struct scratch {
        struct symbol {
            token_id id;
            token_id offer;                 // what it and the next can become, or no_token
            std::ptrdiff_t previous, next;  // -1 at the ends
            bool merged;                    // into its left neighbour
        };
        struct candidate {
            token_merge merge;
            std::ptrdiff_t at;
        };
        std::vector<symbol> symbols;
        std::vector<candidate> queue;
    };

    /// @param ids  one more than the largest id
    bpe(token_table tokens, bpe_options options, std::size_t ids, std::size_t merges);

    token_table const& tokens() const { return tokens_; }

    /// Of several merges, that with the lowest rank goes first. The last word on a pair holds.
    /// @param text  of the result
    void add_merge(token_id left, token_id right, token_merge merge, std::string_view text);

    /// Appends the tokens of a word: repeatedly merges the neighbours of lowest rank, the leftmost first.
    /// O(n log n) in the bytes of the word. @pre valid UTF-8 if symbols are characters
    void encode(std::string_view word, std::vector<token_id>& out, scratch& work) const;

private:
    // Whether a word that is a token becomes that token, found out when it first comes.
    enum alone : unsigned char { not_tried, stays_whole, is_taken_apart };

    // In vocabularies of characters this stands for a space, and begins words that nothing cuts out of the text before.
    static constexpr std::string_view mark = "\xE2\x96\x81";

    void encode_piece(std::string_view piece, std::vector<token_id>& out, scratch& work) const;
    void split(std::string_view word, scratch& work) const;
    void split_unknown(std::string_view character, bool& pending, scratch& work) const;
    bool offer(scratch& work, std::ptrdiff_t at) const;
    void push(scratch& work, std::ptrdiff_t at) const;
    void merge_all(scratch& work) const;
    static void add_symbol(scratch& work, token_id id);

    token_table tokens_;
    bpe_options options_;
    std::array<token_id, 256> bytes_;     // of symbols of one byte
    std::array<token_id, 256> fallback_;  // of "<0x00>" to "<0xFF>"
    merge_table merges_;
    std::array<bool, 256> can_cut_;             // after this byte and before a mark: no token reaches over that place
    mutable std::vector<unsigned char> alone_;  // by id
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/bpe.ipp>
#endif
