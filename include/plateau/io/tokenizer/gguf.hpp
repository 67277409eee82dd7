#pragma once
/// The tokenizer in the metadata of a GGUF file.

#include <plateau/core/macros.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads a byte-level BPE tokenizer: tokenizer.ggml.model "gpt2" whose tokenizer.ggml.pre names the way to cut words
/// of GPT-2, SmolLM2, Llama 3 or Qwen2. Control and user-defined tokens become added tokens, control tokens special.
/// @throws config_error naming the key: absent, of another type or length, or a value that is not supported
tokenizer_spec parse_gguf_tokenizer(gguf_file const& file);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/gguf.ipp>
#endif
