#pragma once
/// Translates the patterns of published tokenizers (Oniguruma) to the syntax of PCRE2.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// @see OpenAI's GPT-2 encoder.py
inline constexpr std::string_view gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// The pattern for PCRE2. Syntax that both libraries read alike stays; syntax that they read differently is spelt out,
/// as \s, or refused: sets within sets, \w and \b, names of scripts, flags other than (?i:...), groups with names,
/// possessive counts.
/// @param where  the file, for messages      @throws config_error naming what is not supported
std::string pcre_of_oniguruma(std::string_view pattern, std::string const& where);

namespace detail {

/// PCRE2's \s also holds U+180E, which left the property White_Space.
inline constexpr std::string_view white_space_set =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

}  // namespace detail

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/pattern_syntax.ipp>
#endif
