#pragma once
/// Text that a font renderer accepts.

#include <cstddef>
#include <string>
#include <string_view>

namespace plateau::viz {

namespace detail {

/// Bytes of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (Unicode 15, table 3-7).
inline std::size_t sequence_length(std::string_view text) {
    auto const byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    auto const tail = [&](std::size_t at) { return (byte(at) & 0xC0u) == 0x80u; };
    unsigned const first = byte(0), second = byte(1);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        bool const overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second > 0x9F;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool const overlong = first == 0xF0 && second < 0x90, beyond = first == 0xF4 && second > 0x8F;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

}  // namespace detail

/// The text on one line of valid UTF-8: control characters become blanks, every byte that belongs to no
/// well-formed sequence becomes U+FFFD.
inline std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::size_t const length = detail::sequence_length(text);
        auto const first = static_cast<unsigned char>(text.front());
        if (length == 0) result += "\uFFFD";
        else if (first < 0x20 || first == 0x7F) result += ' ';
        else result += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

/// At most `width`, in the unit of `measure(text)`: what is cut from the end leaves an ellipsis.
template <class Measure>
std::string shortened(std::string_view text, double width, Measure&& measure) {
    std::string line = printable(text);
    if (measure(line) <= width) return line;
    while (!line.empty()) {
        std::size_t last = line.size() - 1;
        while (last > 0 && (static_cast<unsigned char>(line[last]) & 0xC0u) == 0x80u) --last;
        line.resize(last);
        if (measure(line + "…") <= width) break;
    }
    return line + "…";
}

}  // namespace plateau::viz
