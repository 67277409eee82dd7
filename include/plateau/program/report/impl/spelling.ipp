#pragma once
/// Bodies of program/report/spelling.hpp.

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/program/compiled.hpp>
#include <plateau/program/report/spelling.hpp>
#include <plateau/viz/printable.hpp>

namespace plateau::program::report {

PLATEAU_PROGRAM_INLINE std::string html(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        auto const length = viz::detail::sequence_length(text);
        char const first = text.front();
        auto const code = static_cast<unsigned char>(first);
        if (length == 0) result += "\uFFFD";
        else if (first == '&') result += "&amp;";
        else if (first == '<') result += "&lt;";
        else if (first == '>') result += "&gt;";
        else if (first == '"') result += "&quot;";
        else if (first == '\'') result += "&#39;";
        else if ((code < 0x20 && first != '\n' && first != '\t') || code == 0x7F) result += ' ';
        else result += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

PLATEAU_PROGRAM_INLINE std::string json(std::string_view text) {
    std::string result = "\"";
    auto const escaped = [&](unsigned code) {
        constexpr char const* digits = "0123456789abcdef";
        result += "\\u00";
        result += digits[code >> 4];
        result += digits[code & 15u];
    };
    while (!text.empty()) {
        auto const length = viz::detail::sequence_length(text);
        char const first = text.front();
        auto const code = static_cast<unsigned char>(first);
        if (length == 0) result += "\uFFFD";
        else if (first == '"' || first == '\\') (result += '\\') += first;
        else if (first == '\n') result += "\\n";
        else if (first == '\t') result += "\\t";
        else if (code < 0x20 || code == 0x7F || first == '<' || first == '>' || first == '&') escaped(code);
        else if (text.starts_with("\u2028")) result += "\\u2028";
        else if (text.starts_with("\u2029")) result += "\\u2029";
        else result += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result + '"';
}

PLATEAU_PROGRAM_INLINE std::string json(double value, int digits) {
    if (!std::isfinite(value)) return "null";
    std::array<char, 64> room;
    auto const end = std::to_chars(room.data(), room.data() + room.size(), value, std::chars_format::general, digits);
    return {room.data(), end.ptr};
}

PLATEAU_PROGRAM_INLINE std::string base64(std::string_view bytes) {
    constexpr char const* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    result.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        auto const byte = [&](std::size_t k) {
            return at + k < bytes.size() ? static_cast<unsigned char>(bytes[at + k]) : 0u;
        };
        unsigned const three = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (std::size_t k = 0; k < 4; ++k)
            result += at + k <= bytes.size() ? letters[three >> (18 - 6 * k) & 63u] : '=';
    }
    return result;
}

PLATEAU_PROGRAM_INLINE std::string data_uri(std::string_view type, std::string_view bytes) {
    return "data:" + std::string(type) + ";base64," + base64(bytes);
}

PLATEAU_PROGRAM_INLINE std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    auto const inside = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u; };
    std::size_t head = most / 2, tail = text.size() - (most - head);
    while (head > 0 && inside(head)) --head;
    while (tail < text.size() && inside(tail)) ++tail;
    return std::string(text.substr(0, head)) + " … " + std::string(text.substr(tail));
}

}  // namespace plateau::program::report
