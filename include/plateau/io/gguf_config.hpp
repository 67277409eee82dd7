#pragma once
/// The model configuration in the metadata of a GGUF file.

#include <plateau/core/macros.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/gguf.hpp>

namespace plateau::io {

/// Sizes and options of a file whose general.architecture is llama or qwen2. The vocabulary is the first
/// extent of token_embd.weight; biases and the head are there if their tensors are.
/// A float32 of the file is widened as it is, so that an epsilon of 1e-5 is 9.999999747378752e-06.
/// rope_freqs.weight becomes the llama3 scaling of Llama 3.1 to 3.3, if those are its values.
/// @throws config_error naming the file and the key: an architecture that is not supported (with those
///         that are), a missing size or a wrong value type, sizes that do not fit together, an option
///         that would change the numbers and is not supported; file_error without token_embd.weight
model_config config_from_gguf(gguf_file const& file);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_config.ipp>
#endif
