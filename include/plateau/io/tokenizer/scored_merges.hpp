#pragma once
/// Merges of a vocabulary that has scores instead of them.

#include <span>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Adds a merge for every pair of tokens whose texts together are a token, the higher its score the earlier; equal
/// scores have equal ranks, so that the leftmost goes first. So SentencePiece merges, and llama.cpp
/// (llm_tokenizer_spm).
/// @param scores  one for each token      @pre no token is spelt otherwise in the model's symbols than in `tokens`
void add_scored_merges(bpe& model, std::span<spelt_token const> tokens, std::span<double const> scores);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/scored_merges.ipp>
#endif
