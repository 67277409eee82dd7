#pragma once
/// The description of a tokenizer, independent of the file format that it comes from.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

/// A token as the file spells it.
struct spelt_token {
    std::string text;
    token_id id;
};

/// A BPE tokenizer as its file describes it.
struct tokenizer_spec {
    std::string where;  ///< the file, for messages
    std::vector<spelt_token> tokens;
    std::vector<std::pair<std::string, std::string>> merges;  ///< lowest rank first
    std::vector<double> scores;                               ///< of the tokens, in place of merges
    std::vector<added_token> added;
    std::vector<text_step> normal;
    std::vector<text_step> words;
    std::vector<text_step> decoding;
    bpe_options model{};  ///< characters: off if tokens are spelt in the byte alphabet (the pre-tokenizer ByteLevel)
    std::optional<token_id> bos;
    std::optional<token_id> eos;
    bool adds_bos = false;    ///< the published tokenizer begins every text with bos
    std::string notice = {};  ///< what had to be assumed, for people to read
};

/// Takes "left right" apart. Returns whether there is exactly one space.
bool split_merge(std::string_view merge, std::string& left, std::string& right);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/spec.ipp>
#endif
