#pragma once
/// Bodies of io/tokenizer/normalizer.hpp.

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if (!defined(PLATEAU_HAS_UTF8PROC) || PLATEAU_HAS_UTF8PROC) && __has_include(<utf8proc.h>)
#define PLATEAU_NORMALIZER_UTF8PROC 1
#include <utf8proc.h>
#else
#define PLATEAU_NORMALIZER_UTF8PROC 0
#endif

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/normalizer.hpp>
#include <plateau/io/tokenizer/replaced.hpp>
#include <plateau/io/tokenizer/text_step.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

namespace detail {

#if PLATEAU_NORMALIZER_UTF8PROC

PLATEAU_INLINE std::string normalization_form(std::string_view text, text_step::action form) {
    using action = text_step::action;
    bool const composed = form == action::nfc || form == action::nfkc;
    bool const compatible = form == action::nfkc || form == action::nfkd;
    auto const options = static_cast<utf8proc_option_t>(
        UTF8PROC_STABLE | (composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) | (compatible ? UTF8PROC_COMPAT : 0));
    utf8proc_uint8_t* found = nullptr;
    auto const size = utf8proc_map(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &found, options);
    if (size < 0) throw error("utf8proc fails to normalize a text: ", utf8proc_errmsg(size));
    std::string result(reinterpret_cast<char const*>(found), static_cast<std::size_t>(size));
    std::free(found);
    return result;
}

/// Ranges in which Unicode 10 and later put code points that normalization moves, takes apart or composes. Hugging Face
/// tokenizers knows Unicode 9: to it they are inert. And U+11A7, which is inert, but which utf8proc 2.8 drops after a
/// Hangul syllable.
inline constexpr char32_t normalized_later[][2] = {
    {0x07FD, 0x07FD},   {0x0897, 0x089F},   {0x08CA, 0x08D3},   {0x09FE, 0x09FE},   {0x0C3C, 0x0C3C},
    {0x0D3B, 0x0D3C},   {0x0EBA, 0x0EBA},   {0x11A7, 0x11A7},   {0x1715, 0x1715},   {0x1ABF, 0x1AEF},
    {0x1DF6, 0x1DFA},   {0x32FF, 0x32FF},   {0xA7F1, 0xA7F4},   {0xA82C, 0xA82C},   {0xAB69, 0xAB69},
    {0x105C0, 0x105FF}, {0x10780, 0x107BA}, {0x10D24, 0x10D27}, {0x10D69, 0x10D6D}, {0x10EAB, 0x10EAC},
    {0x10EFA, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B},
    {0x11380, 0x113E2}, {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11943}, {0x119E0, 0x119E0},
    {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x1611E, 0x1612F}, {0x16D63, 0x16D6A}, {0x16FF0, 0x16FF1}, {0x1CCD6, 0x1CCF9},
    {0x1E030, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
    {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6F5}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9}};

/// The first of them, or the end of the text.
PLATEAU_INLINE std::size_t find_normalized_later(std::string_view text) {
    std::size_t at = 0;
    for (; at < text.size(); at += first_character(text.substr(at)).length) {
        char32_t const c = first_character(text.substr(at)).code_point;
        for (auto const& [first, last] : normalized_later) {
            if (c < first) break;
            if (c <= last) return at;
        }
    }
    return at;
}

/// The normalization form as Unicode 9 has it, whatever version the library knows.
PLATEAU_INLINE std::string old_normalization_form(std::string_view text, text_step::action form) {
    std::string result;
    while (!text.empty()) {
        auto const known = find_normalized_later(text);
        if (known > 0) result += normalization_form(text.substr(0, known), form);
        text.remove_prefix(known);
        auto const inert = first_character(text).length;
        result += text.substr(0, inert);
        text.remove_prefix(inert);
    }
    return result;
}

#else

[[noreturn]] PLATEAU_INLINE std::string old_normalization_form(std::string_view, text_step::action) {
    throw config_error(
        "this program was compiled without utf8proc, which the normalizer of this tokenizer needs "
        "(Debian: libutf8proc-dev)");
}

#endif

/// The bytes before the first code point that a normalization form may change or let others change: all below U+00A0,
/// and for the canonical composition all below U+0300; less one, for a mark could follow it.
PLATEAU_INLINE std::size_t inert_prefix(std::string_view text, bool canonical_composition) {
    unsigned const least = canonical_composition ? 0xCC : 0xC2;
    std::size_t at = 0;
    while (at < text.size() && static_cast<unsigned char>(text[at]) < least) ++at;
    if (at == text.size() || at == 0) return at;
    do --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u);
    return at;
}

}  // namespace detail

PLATEAU_INLINE normalizer::normalizer(std::vector<text_step> steps) : steps_{std::move(steps)} {
    for (auto const& step : steps_) {
        if (step.what <= text_step::action::nfkd) (void)detail::old_normalization_form("a", step.what);
    }
}

PLATEAU_INLINE std::string normalizer::operator()(std::string_view input) const {
    using action = text_step::action;
    std::string text{input};
    for (auto const& step : steps_) {
        if (step.what <= action::nfkd) {
            auto const inert = detail::inert_prefix(text, step.what == action::nfc);
            if (inert == text.size()) continue;
            auto const rest = detail::old_normalization_form(std::string_view(text).substr(inert), step.what);
            text.resize(inert);
            text += rest;
        } else if (step.what == action::prepend) {
            if (!text.empty()) text.insert(0, step.text);
        } else if (step.what == action::replace) {
            text = replaced(text, step.text, step.content);
        } else if (step.what == action::strip_left) {
            text.erase(0, white_space_after(text, 0));
        } else {
            text.resize(white_space_before(text, text.size(), 0));
        }
    }
    return text;
}

}  // namespace plateau::io
