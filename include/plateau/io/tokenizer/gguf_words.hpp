#pragma once
/// The ways to cut words that GGUF files name (tokenizer.ggml.pre).

#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>

namespace plateau::io {

/// One way, under all of its names.
struct gguf_words {
    std::string_view names;        ///< a space before and after each
    std::string_view patterns[6];  ///< splits one after the other, in the syntax of Oniguruma; the rest are empty
    unsigned options = 0;

    enum option : unsigned {
        composes = 1,     ///< the published tokenizers compose characters first (NFC); llama.cpp does not
        keeps_whole = 2,  ///< "ignore_merges": a word that is a token stays whole
        adds_bos = 4,     ///< where the file does not say
        characters = 8,   ///< tokens are spelt in characters with "▁" for spaces, not in the byte alphabet
    };
    bool has(option what) const { return (options & what) != 0; }
};

/// Nothing for a name that is not known. The names and their grouping are those of llama.cpp (src/llama-vocab.cpp); the
/// patterns those of the published tokenizers, which llama.cpp approximates here and there. "default" is left out on
/// purpose: converters write it when they do not know, and llama.cpp then cuts words as no published tokenizer does.
gguf_words const* find_gguf_words(std::string_view name);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/gguf_words.ipp>
#endif
