#pragma once
/// The model configuration in the metadata of a GGUF file.

#include <plateau/core/macros.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/gguf_architectures.hpp>

namespace plateau::io {

/// The row of a file.
/// @throws config_error naming the file: it holds no model (an adapter, a projector), or one of an architecture without
///         a row (with those that have one); file_error if it holds a vocabulary alone
gguf_architecture const& gguf_architecture_of(gguf_file const& file);

/// Sizes and options of a file of an architecture that has a row (gguf_architectures.hpp). The vocabulary is
/// the first extent of token_embd.weight, whether the file has a tokenizer or not; biases and the head are there if
/// their tensors are.
/// A float32 of the file is the shortest decimal that rounds to it, so that an epsilon of 1e-5 is 1e-5 in double too,
/// as in the folder that the file was made from. Norms have no offset: the files of Gemma hold 1 + w. rope_freqs.weight
/// divides the rotary frequencies as it is. What the converter of llama.cpp leaves out is as in the published models:
/// the activation, RoPE's base of GPT-NeoX, Phi-2, Gemma and Gemma-2 (10000), windows of Mistral and Qwen (none), the
/// factor of Gemma-2's scores.
/// @throws as gguf_architecture_of; config_error naming the file and the key: a missing size or a wrong value type,
///         sizes that do not fit together, a key that may change the numbers and is not read; file_error without
///         token_embd.weight
model_config config_from_gguf(gguf_file const& file);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_config.ipp>
#endif
