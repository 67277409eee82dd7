#pragma once
/// Bodies of io/utf8.hpp.

#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

PLATEAU_INLINE std::string mended_utf8(std::string_view bytes) {
    std::string text;
    while (true) {
        auto const valid = valid_utf8_prefix(bytes);
        text += bytes.substr(0, valid);
        bytes.remove_prefix(valid);
        if (bytes.empty()) return text;
        text += "\xEF\xBF\xBD";
        bytes.remove_prefix(broken_length(bytes));
    }
}

PLATEAU_INLINE_HOT std::size_t character_before(std::string_view text, std::size_t end) {
    do --end;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u);
    return end;
}

PLATEAU_INLINE_HOT std::size_t white_space_before(std::string_view text, std::size_t end, std::size_t least) {
    while (end > least) {
        std::size_t const begin = character_before(text, end);
        if (!is_white_space(first_character(text.substr(begin)).code_point)) break;
        end = begin;
    }
    return end;
}

PLATEAU_INLINE_HOT std::size_t white_space_after(std::string_view text, std::size_t begin) {
    while (begin < text.size()) {
        auto const [character, length] = first_character(text.substr(begin));
        if (!is_white_space(character)) break;
        begin += length;
    }
    return begin;
}

}  // namespace plateau::io
