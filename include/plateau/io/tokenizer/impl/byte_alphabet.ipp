#pragma once
/// Bodies of io/tokenizer/byte_alphabet.hpp.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/byte_alphabet.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

namespace detail {

/// Printable characters of Latin-1 stand for themselves; the other 68 bytes, in order, are U+0100 onwards.
constexpr bool is_own_letter(char32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<int, 0x144> make_letter_bytes() {
    std::array<int, 0x144> bytes{};
    for (auto& byte : bytes) byte = -1;
    std::size_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        bytes[is_own_letter(static_cast<char32_t>(byte)) ? static_cast<std::size_t>(byte) : next++] = byte;
    }
    return bytes;
}

inline constexpr auto letter_bytes = make_letter_bytes();

}  // namespace detail

PLATEAU_INLINE_HOT std::optional<std::string> bytes_of_letters(std::string_view letters) {
    std::string bytes;
    while (!letters.empty()) {
        auto const [letter, length] = first_character(letters);
        if (length == 0 || letter >= detail::letter_bytes.size() || detail::letter_bytes[letter] < 0)
            return std::nullopt;
        bytes += static_cast<char>(detail::letter_bytes[letter]);
        letters.remove_prefix(length);
    }
    return bytes;
}

}  // namespace plateau::io
