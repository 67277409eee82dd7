#pragma once
/// Cuts text by regular expressions. Needs PCRE2; where there is none it still compiles, and making a pattern is an
/// error.

#include <memory>
#include <string_view>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::io {

/// Receives a piece of a text, and true if the piece is a match.
using match_sink = function_ref<void(std::string_view, bool)>;

/// A pattern that cuts a text into its matches and what is between them. Copies share the compiled pattern;
/// matching is safe from many threads.
class word_pattern {
public:
    word_pattern() = default;  ///< none yet

    /// @param pattern  PCRE2 syntax, Unicode properties on; matches of no characters count as none
    /// @throws config_error if the library refuses it, or was not there at compile time
    explicit word_pattern(std::string_view pattern);

    /// Calls piece(part, matched) for all of a text, in order. @pre valid UTF-8
    void split(std::string_view text, match_sink const& piece) const;

private:
    std::shared_ptr<void const> code_;  // of PCRE2
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/pattern.ipp>
#endif
