#pragma once
/// What a tokenizer is, whichever file said so.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/io/added_tokens.hpp>
#include <plateau/io/pretokenizer.hpp>

namespace plateau::io {

/// A byte-level BPE tokenizer as its file describes it.
struct tokenizer_spec {
    std::string where;                                        ///< the file, for messages
    std::vector<std::pair<std::string, token_id>> tokens;     ///< spelt in the byte alphabet
    std::vector<std::pair<std::string, std::string>> merges;  ///< lowest rank first
    std::vector<added_token> added;
    pretokenizer_options words;
    bool whole_words = false;         ///< a word that is itself a token is not taken apart ("ignore_merges")
    std::optional<token_id> unknown;  ///< stands for a byte that has no token; without it such bytes vanish
    std::optional<token_id> bos;
    std::optional<token_id> eos;
    bool adds_bos = false;  ///< the published tokenizer begins every text with bos
};

}  // namespace plateau::io
