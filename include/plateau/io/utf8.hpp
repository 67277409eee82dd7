#pragma once
/// UTF-8 and white space: the part of Unicode that needs no tables of properties.

#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// One code point and the bytes that it takes.
struct utf8_character {
    char32_t code_point;
    std::size_t length;  ///< 0 if the text does not begin with valid UTF-8
};

/// The first character of a text. Refuses overlong forms, surrogates and what lies beyond U+10FFFF.
constexpr utf8_character first_character(std::string_view text) {
    constexpr utf8_character invalid{0, 0};
    if (text.empty()) return invalid;
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    char32_t const lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return invalid;
    char32_t code_point = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0u) != 0x80u) return invalid;
        code_point = code_point << 6 | (byte(i) & 0x3Fu);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code_point < least[length] || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
        return invalid;
    }
    return {code_point, length};
}

/// The number of bytes at the beginning of a text that are no character: the longest beginning of one, or else one
/// byte.
/// @pre not empty, and first_character(text).length == 0
constexpr std::size_t broken_length(std::string_view text) {
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned const lead = byte(0);
    if (lead < 0xC2 || lead > 0xF4 || text.size() < 2) return 1;
    unsigned const least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned const most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < least || byte(1) > most) return 1;
    return lead >= 0xF0 && text.size() > 2 && (byte(2) & 0xC0u) == 0x80u ? 3 : 2;
}

/// The byte offset of the first sequence that is not UTF-8; the size of the text if there is none.
constexpr std::size_t valid_utf8_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        auto const length = first_character(text.substr(at)).length;
        if (length == 0) break;
        at += length;
    }
    return at;
}

/// Bytes as UTF-8: U+FFFD stands for each broken_length of bytes that are none.
/// @see The Unicode Standard, 3.9, "U+FFFD Substitution of Maximal Subparts"; Rust's from_utf8_lossy
std::string mended_utf8(std::string_view bytes);

/// Unicode's property White_Space.
constexpr bool is_white_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// The offset at which the character before `end` begins. @pre valid UTF-8, end > 0
std::size_t character_before(std::string_view text, std::size_t end);

/// The offset at which the white space before `end` begins, `least` at the earliest. @pre valid UTF-8
std::size_t white_space_before(std::string_view text, std::size_t end, std::size_t least);

/// The offset at which the white space after `begin` ends. @pre valid UTF-8
std::size_t white_space_after(std::string_view text, std::size_t begin);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/utf8.ipp>
#endif
