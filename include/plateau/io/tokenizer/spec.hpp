#pragma once
/// What a tokenizer is, whichever file said so.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/decoder.hpp>
#include <plateau/io/tokenizer/normalizer.hpp>
#include <plateau/io/tokenizer/pretokenizer.hpp>

namespace plateau::io {

/// A BPE tokenizer as its file describes it.
struct tokenizer_spec {
    std::string where;                                        ///< the file, for messages
    std::vector<std::pair<std::string, token_id>> tokens;     ///< as the file spells them
    std::vector<std::pair<std::string, std::string>> merges;  ///< lowest rank first
    std::vector<added_token> added;
    std::vector<normalizer_step> normal;
    std::vector<pretokenizer_step> words;
    std::vector<decoder_step> decoding;
    bpe_options model{};  ///< characters: off if tokens are spelt in the byte alphabet (the pre-tokenizer ByteLevel)
    std::optional<token_id> bos;
    std::optional<token_id> eos;
    bool adds_bos = false;  ///< the published tokenizer begins every text with bos
};

}  // namespace plateau::io
