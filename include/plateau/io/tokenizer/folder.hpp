#pragma once
/// Tokenizers in folders of Hugging Face: tokenizer.json or vocab.json with merges.txt, and what lies beside them.

#include <filesystem>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// A tokenizer.json with the tokenizer_config.json, added_tokens.json and special_tokens_map.json beside it, as
/// transformers 5 reads them: where the folder names a class (GPT2Tokenizer, GPTNeoXTokenizer, Qwen2Tokenizer,
/// LlamaTokenizer, CodeLlamaTokenizer, GemmaTokenizer, or a model_type that means one), normalizer, pre-tokenizer and
/// decoder are those of the class, with its add_prefix_space, and not those of the file.
/// @throws file_error if a file cannot be read or is not JSON; as parse_tokenizer_json and apply_tokenizer_config
tokenizer_spec read_tokenizer_json(std::filesystem::path const& file);

/// The tokenizer of a folder: tokenizer.json, or else vocab.json and merges.txt. Those two do not say how words are
/// cut: the class in tokenizer_config.json does, or else the model_type of config.json. GPT2Tokenizer,
/// GPTNeoXTokenizer and Qwen2Tokenizer are known; a folder that names neither a class of its own nor a model_type with
/// one is cut as GPT-2's, with a notice.
/// @throws file_error if there is no tokenizer, with the command that converts a SentencePiece or tiktoken model;
///         config_error naming another class, with the same command; as read_tokenizer_json
tokenizer_spec read_tokenizer_folder(std::filesystem::path const& folder);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/folder.ipp>
#endif
