#pragma once
/// Steps of normalizers, pre-tokenizers and decoders.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// The treatment of a match by a split, in the words of Hugging Face tokenizers.
enum class split_behavior {
    isolated,              ///< is a piece
    removed,               ///< vanishes
    contiguous,            ///< is one piece with the matches that follow at once
    merged_with_previous,  ///< joins the text before it
    merged_with_next,      ///< joins the text after it
};

/// One step: of a normalizer, on a text; of a pre-tokenizer, on each piece of a text; or of a decoder, on each token of
/// a list. (One type for all three, because each more is a good part of a second for every user's compiler.)
struct text_step {
    enum class action {
        // normalizers
        nfc,  ///< the normalization forms of Unicode Standard Annex 15, as Unicode 9 has them
        nfd,
        nfkc,
        nfkd,
        prepend,      ///< text before everything that is not empty
        strip_left,   ///< white space at the beginning vanishes
        strip_right,  ///< and at the end
        // all three
        replace,  ///< text by content
        // pre-tokenizers
        split_at_pattern,  ///< text is a pattern for PCRE2
        split_at_text,
        prefix,        ///< text before a piece that does not begin with it
        prefix_first,  ///< the same for the piece at the very beginning alone
        // decoders
        byte_letters,   ///< all tokens spelt in the byte alphabet as one text; bytes that are not UTF-8 are U+FFFD
        byte_fallback,  ///< runs of "<0xE2>" as the text that they spell, or one U+FFFD for each
        fuse,           ///< all tokens as one
        strip,          ///< up to `left` times text at the beginning of each token, and `right` times at its end
        metaspace,      ///< text is a space, and nothing in the first token
        metaspace_all,  ///< text is a space, in the first token too
    };
    action what{};
    std::string text{};
    std::string content{};
    split_behavior behavior = split_behavior::isolated;
    bool invert = false;  ///< matches count as the text between them, and that as matches
    std::size_t left = 0, right = 0;
};

/// Appends a step and returns it.
text_step& add_step(std::vector<text_step>& steps, text_step::action what, std::string_view text = {},
                    std::string_view content = {});

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/text_step.ipp>
#endif
