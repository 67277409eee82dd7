#pragma once
/// Cutting text by regular expressions. The only header that includes PCRE2; where there is none it still compiles,
/// and making a pattern is an error.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#if (!defined(PLATEAU_HAS_PCRE2) || PLATEAU_HAS_PCRE2) && __has_include(<pcre2.h>)
#define PLATEAU_PATTERN_PCRE2 1
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>
#else
#define PLATEAU_PATTERN_PCRE2 0
#endif

#include <plateau/core/error.hpp>

namespace plateau::io {

/// What is done with a piece of a text, and whether the piece is a match.
using match_sink = std::function<void(std::string_view, bool)>;

/// A pattern that cuts a text into its matches and what is between them. Copies share the compiled pattern;
/// matching is safe from many threads.
class word_pattern {
public:
    /// @param pattern  PCRE2 syntax, Unicode properties on; matches of no characters count as none
    /// @throws config_error if the library refuses it, or was not there at compile time
    explicit word_pattern(std::string_view pattern);

    /// Calls piece(part, matched) for all of a text, in order. @pre valid UTF-8
    void split(std::string_view text, match_sink const& piece) const;

private:
#if PLATEAU_PATTERN_PCRE2
    std::shared_ptr<pcre2_code_8 const> code_;
#endif
};

#if PLATEAU_PATTERN_PCRE2

[[gnu::cold]] inline word_pattern::word_pattern(std::string_view pattern) {
    int code = 0;
    std::size_t offset = 0;
    auto* const compiled = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                                           PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &code, &offset, nullptr);
    if (compiled == nullptr) {
        throw config_error("PCRE2 refuses the pattern ", pattern, " at offset ", offset, " (error ", code,
                           "); plateau needs a PCRE2 with Unicode support");
    }
    code_.reset(compiled, [](pcre2_code_8 const* owned) { pcre2_code_free_8(const_cast<pcre2_code_8*>(owned)); });
    pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE);  // without it matching is slower, that is all
}

inline void word_pattern::split(std::string_view text, match_sink const& piece) const {
    struct release {
        void operator()(pcre2_match_data_8* data) const { pcre2_match_data_free_8(data); }
    };
    std::unique_ptr<pcre2_match_data_8, release> const match{pcre2_match_data_create_8(1, nullptr)};
    if (!match) throw memory_error("no memory to cut text into words");
    std::size_t const* const bounds = pcre2_get_ovector_pointer_8(match.get());
    auto const* const subject = reinterpret_cast<PCRE2_SPTR8>(text.data());
    std::size_t at = 0;
    while (at < text.size()) {
        auto const find = [&](std::uint32_t options) {
            return pcre2_match_8(code_.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | options,
                                 match.get(), nullptr);
        };
        int found = find(0);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = find(PCRE2_NO_JIT);
        if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
            throw error("PCRE2 fails to cut text into words (error ", found, ")");
        }
        std::size_t const begin = found >= 0 ? bounds[0] : text.size();
        if (begin > at) piece(text.substr(at, begin - at), false);
        if (found < 0) break;
        piece(text.substr(begin, bounds[1] - begin), true);
        at = bounds[1];
    }
}

#else

[[gnu::cold]] inline word_pattern::word_pattern(std::string_view) {
    throw config_error("this program was compiled without PCRE2, which this tokenizer needs (Debian: libpcre2-dev)");
}

inline void word_pattern::split(std::string_view, match_sink const&) const {}  // there is no object to call it on

#endif

}  // namespace plateau::io
