#pragma once
/// Bodies of io/printable.hpp.

#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

PLATEAU_INLINE std::string printable(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef", short_names = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    constexpr std::size_t most = 100;
    std::string shown = "\"";
    auto const add_unit = [&](char32_t unit) {
        shown += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) shown += digits[(unit >> shift) & 0xFu];
    };
    std::string_view left = text.substr(0, most);
    while (!left.empty()) {
        auto [code_point, length] = first_character(left);
        if (length == 0) {  // cut within a character, or not UTF-8
            code_point = 0xFFFD;
            do ++length;
            while (length < left.size() && (static_cast<unsigned char>(left[length]) & 0xC0u) == 0x80u);
        }
        auto const name = code_point < 0x80 ? short_names.find(left[0]) : std::string_view::npos;
        if (name != std::string_view::npos) {
            shown += '\\';
            shown += letters[name];
        } else if (code_point >= 0x20 && code_point < 0x7F) {
            shown += left[0];
        } else if (code_point < 0x10000) {
            add_unit(code_point);
        } else {
            add_unit(0xD7C0 + (code_point >> 10));
            add_unit(0xDC00 + (code_point & 0x3FFu));
        }
        left.remove_prefix(length);
    }
    return shown + (text.size() > most ? "\"..." : "\"");
}

}  // namespace plateau::io
