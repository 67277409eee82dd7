#pragma once
/// Bodies of io/tokenizer/pattern.hpp.

#include <cstddef>
#include <cstdint>
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
#include <plateau/core/macros.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/pattern.hpp>

namespace plateau::io {

#if PLATEAU_PATTERN_PCRE2

PLATEAU_INLINE word_pattern::word_pattern(std::string_view pattern) {
    int code = 0;
    std::size_t offset = 0;
    auto* const compiled = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                                           PCRE2_UTF | PCRE2_UCP, &code, &offset, nullptr);
    if (compiled == nullptr) {
        throw config_error("PCRE2 refuses the pattern ", printable(pattern), " at offset ", offset, " (error ", code,
                           "); plateau needs a PCRE2 with Unicode support");
    }
    code_.reset(compiled, pcre2_code_free_8);
    pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE);  // without it matching is slower, that is all
}

PLATEAU_INLINE_HOT void word_pattern::split(std::string_view text, match_sink const& piece) const {
    struct release {
        void operator()(pcre2_match_data_8* data) const { pcre2_match_data_free_8(data); }
    };
    std::unique_ptr<pcre2_match_data_8, release> const match{pcre2_match_data_create_8(1, nullptr)};
    if (!match) throw memory_error("no memory to cut text into words");
    std::size_t const* const bounds = pcre2_get_ovector_pointer_8(match.get());
    auto const* const subject = reinterpret_cast<PCRE2_SPTR8>(text.data());
    auto const* const code = static_cast<pcre2_code_8 const*>(code_.get());
    std::size_t at = 0;
    while (at < text.size()) {
        auto const find = [&](std::uint32_t options) {
            return pcre2_match_8(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | options,
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

PLATEAU_INLINE word_pattern::word_pattern(std::string_view) {
    throw config_error("this program was compiled without PCRE2, which this tokenizer needs (Debian: libpcre2-dev)");
}

PLATEAU_INLINE_HOT void word_pattern::split(std::string_view, match_sink const&) const {
}  // there is no object to call it on

#endif

}  // namespace plateau::io
