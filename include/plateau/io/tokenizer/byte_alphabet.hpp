#pragma once
/// The alphabet in which byte-level tokenizers spell bytes.

#include <optional>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// The bytes that a token of a byte-level vocabulary stands for: "Ġthe" is " the".
/// Nothing if a character is not in the alphabet, or the text is not UTF-8.
/// @see bytes_to_unicode in OpenAI's GPT-2 encoder
std::optional<std::string> bytes_of_letters(std::string_view letters);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/byte_alphabet.ipp>
#endif
