#pragma once
/// The steps of a tokenizer.json: normalizer, pre-tokenizer and decoder.

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads "normalizer": NFC, NFD, NFKC, NFKD, Prepend, Replace of a text, Strip, or a Sequence of them.
/// @param root  the whole tokenizer      @throws config_error that names what is malformed or not supported
void parse_normalizer(json const& root, tokenizer_spec& spec);

/// Reads "pre_tokenizer": Split, Digits, Metaspace, and as the last ByteLevel; one, a Sequence of them, or none.
/// Without ByteLevel the symbols of the model are characters. @throws as parse_normalizer
void parse_pretokenizer(json const& root, tokenizer_spec& spec);

/// Reads "decoder": ByteLevel, ByteFallback, Fuse, Replace of a text, Strip, Metaspace, or a Sequence of them.
/// @throws as parse_normalizer
void parse_decoder(json const& root, tokenizer_spec& spec);

namespace detail {

[[noreturn]] void refuse_tokenizer(std::string const& where, std::string_view what);

std::string_view type_of(json const& part, std::string const& where);

/// The parts of a sequence, a single part, or none.
json_children parts_of(json const& root, char const* key, char const* list, std::string const& where);

}  // namespace detail

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/json_steps.ipp>
#endif
