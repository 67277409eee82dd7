#pragma once
/// tokenizer.json of Hugging Face tokenizers, and the tokenizer_config.json beside it.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads a BPE tokenizer: its steps as json_steps.hpp says; the post-processor may add one token before the text.
/// @param json_text  tokenizer.json
/// @param where      the file, for messages
/// @throws file_error if the text is not JSON; config_error that names what is malformed or not supported
tokenizer_spec parse_tokenizer_json(std::string_view json_text, std::string const& where);

/// Takes bos, eos and whether bos is added from tokenizer_config.json; absent keys change nothing, except that the
/// classes LlamaTokenizer, CodeLlamaTokenizer and GemmaTokenizer (or ...Fast) add bos unless add_bos_token says no.
/// @throws as parse_tokenizer_json
void apply_tokenizer_config(tokenizer_spec& spec, std::string_view json_text, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/json.ipp>
#endif
