#pragma once
/// Cutting text into the words that byte-pair encoding works on. The only header that includes PCRE2; where there is
/// none it still compiles, and making a pattern is an error.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#if (!defined(PLATEAU_HAS_PCRE2) || PLATEAU_HAS_PCRE2) && __has_include(<pcre2.h>)
#define PLATEAU_PRETOKENIZER_PCRE2 1
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>
#else
#define PLATEAU_PRETOKENIZER_PCRE2 0
#endif

#include <plateau/core/error.hpp>

namespace plateau::io {

/// What is done with a word.
using word_sink = std::function<void(std::string_view)>;

/// A pattern that cuts a text into its matches. Copies share the compiled pattern; matching is safe from
/// many threads.
class word_pattern {
public:
    /// @param pattern  PCRE2 syntax, Unicode properties on; @pre it matches at least one character wherever
    ///                 a text goes on
    /// @throws config_error if the library refuses it, or was not there at compile time
    explicit word_pattern(std::string_view pattern);

    /// Calls word(piece) for the matches of a text, in order. What matches nothing is a piece too.
    /// @pre valid UTF-8
    void split(std::string_view text, word_sink const& word) const;

private:
#if PLATEAU_PRETOKENIZER_PCRE2
    std::shared_ptr<pcre2_code_8 const> code_;
#endif
};

enum class digit_split {
    none,
    each,  ///< every digit is a word
    runs,  ///< digits and other characters never share a word
};

/// The pre-tokenizers of GPT-2 and of SmolLM2, in terms of Hugging Face tokenizers:
/// [Digits,] ByteLevel(add_prefix_space, use_regex).
struct pretokenizer_options {
    digit_split digits = digit_split::none;
    bool prefix_space = false;  ///< a piece that does not begin with a space gets one
    bool words = true;          ///< cut by GPT-2's pattern
};

class pretokenizer {
public:
    explicit pretokenizer(pretokenizer_options options);

    /// Calls word(piece) for the words of a text, in order; `piece` lives until the call returns.
    /// @pre valid UTF-8
    void split(std::string_view text, word_sink const& word) const {
        if (text.empty()) return;
        if (options_.digits == digit_split::none) split_words(text, word);
        else digits_.split(text, [&](std::string_view piece) { split_words(piece, word); });
    }

private:
    void split_words(std::string_view text, word_sink const& word) const {
        std::string prefixed;
        if (options_.prefix_space && text.front() != ' ') {
            prefixed = ' ';
            text = prefixed += text;
        }
        if (options_.words) words_.split(text, word);
        else word(text);
    }

    pretokenizer_options options_;
    word_pattern digits_;
    word_pattern words_;
};

namespace detail {

///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// with \s = Unicode's White_Space spelt out: PCRE2's \s also holds U+180E, which left that property.
/// @see OpenAI's GPT-2 encoder.py
inline std::string gpt2_pattern() {
    std::string const space =
        R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
    return concat({R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{L}\p{N})", space, "]+|[", space,
                   "]+(?![^", space, "])|[", space, "]+"});
}

}  // namespace detail

#if PLATEAU_PRETOKENIZER_PCRE2

inline word_pattern::word_pattern(std::string_view pattern) {
    int code = 0;
    std::size_t offset = 0;
    auto* const compiled = pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(pattern.data()), pattern.size(),
                                           PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &code, &offset, nullptr);
    if (compiled == nullptr) {
        throw config_error{"PCRE2 refuses the pattern ", pattern, " at offset ", offset, " (error ", code,
                           "); plateau needs a PCRE2 with Unicode support"};
    }
    code_.reset(compiled, [](pcre2_code_8 const* owned) { pcre2_code_free_8(const_cast<pcre2_code_8*>(owned)); });
    pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE);  // without it matching is slower, that is all
}

inline void word_pattern::split(std::string_view text, word_sink const& word) const {
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
            return pcre2_match_8(code_.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK | options, match.get(),
                                 nullptr);
        };
        int found = find(0);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = find(PCRE2_NO_JIT);
        if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
            throw error{"PCRE2 fails to cut text into words (error ", found, ")"};
        }
        bool const matched = found >= 0 && bounds[1] > at;
        std::size_t const begin = matched ? bounds[0] : text.size();
        if (begin > at) word(text.substr(at, begin - at));
        if (!matched) break;
        word(text.substr(begin, bounds[1] - begin));
        at = bounds[1];
    }
}

#else

inline word_pattern::word_pattern(std::string_view) {
    throw config_error("this program was compiled without PCRE2, which tokenizers need (Debian: libpcre2-dev)");
}

inline void word_pattern::split(std::string_view, word_sink const&) const {}  // there is no object to call it on

#endif

inline pretokenizer::pretokenizer(pretokenizer_options options)
    : options_{options}, digits_{options.digits == digit_split::each ? R"(\p{N}|\P{N}+)" : R"(\p{N}+|\P{N}+)"},
      words_{detail::gpt2_pattern()} {}

}  // namespace plateau::io
