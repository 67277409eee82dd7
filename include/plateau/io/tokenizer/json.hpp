#pragma once
/// tokenizer.json of Hugging Face tokenizers, and the tokenizer_config.json beside it.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads a BPE tokenizer: its steps as json_steps.hpp says; the post-processor may add one token before the text.
/// @param json_text  tokenizer.json
/// @param where      the file, for messages
/// @throws file_error if the text is not JSON; config_error that names what is malformed or not supported
tokenizer_spec parse_tokenizer_json(std::string_view json_text, std::string const& where);

/// Reads the steps of a tokenizer.json: normalizer, pre-tokenizer and decoder. @throws as parse_tokenizer_json
void parse_tokenizer_steps(json const& root, tokenizer_spec& spec);

/// Reads {token: id, ...}. @throws config_error
void parse_vocabulary(json const& vocabulary, tokenizer_spec& spec);

/// What lies beside a vocabulary; each is an object, empty if there is no such file.
struct tokenizer_settings {
    json const& config;              ///< tokenizer_config.json
    json const& added_tokens;        ///< added_tokens.json
    json const& special_tokens_map;  ///< special_tokens_map.json
    json const& defaults;            ///< what the class of the tokenizer takes for absent keys of tokenizer_config.json
    std::string where;               ///< for messages
    bool whole;                      ///< the vocabulary is in a tokenizer.json
};

/// Adds the tokens that the settings name, and takes bos, eos and whether bos is added from them, as transformers 5
/// does: those of added_tokens_decoder by their number, or without that key those of added_tokens.json; then the named
/// special tokens (with special_tokens_map.json before tokenizer_config.json where there is no added_tokens_decoder)
/// and extra_special_tokens or additional_special_tokens. A token that is there already keeps its id, a new one comes
/// after all others. Absent keys change nothing. add_bos_token and add_eos_token count only where there is no
/// tokenizer.json: transformers 5 drops them there, and the post-processor alone says what is added.
/// @throws as parse_tokenizer_json
void apply_tokenizer_config(tokenizer_spec& spec, tokenizer_settings const& settings);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/json.ipp>
#endif
