#pragma once
/// The tokenizer in the metadata of a GGUF file.

#include <plateau/core/macros.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads a tokenizer: of "gpt2" (bytes), words cut as tokenizer.ggml.pre names (gguf_words.hpp) and merges; "llama"
/// (SentencePiece), scores in place of merges and "▁" for spaces; or "gemma4", merges of characters. As in llama.cpp:
/// control, unknown and user-defined tokens are added tokens, the first two special; those of Phi-3 take the white
/// space after them; where the file names bos, but does not say whether texts begin with it, its kind and
/// tokenizer.ggml.pre do. Scores that are all equal tell nothing (converters write them when they do not know): then
/// ids stand for them.
/// @throws config_error naming the key: absent, of another type or length, or a value that is not supported
tokenizer_spec parse_gguf_tokenizer(gguf_file const& file);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/gguf.ipp>
#endif
