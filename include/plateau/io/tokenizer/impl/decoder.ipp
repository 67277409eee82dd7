#pragma once
/// Bodies of io/tokenizer/decoder.hpp.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/byte_alphabet.hpp>
#include <plateau/io/tokenizer/decoder.hpp>
#include <plateau/io/tokenizer/replaced.hpp>
#include <plateau/io/tokenizer/text_step.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

namespace detail {

/// The byte of "<0xE2>"; digits as Rust's from_str_radix takes them.
PLATEAU_INLINE std::optional<char> byte_of_token(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    int byte = 0;
    for (std::size_t i = token[3] == '+' ? 4 : 3; i < 5; ++i) {
        char const c = token[i];
        int const digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        byte = byte * 16 + digit;
    }
    return static_cast<char>(byte);
}

PLATEAU_INLINE std::vector<std::string> join_byte_tokens(std::vector<std::string> const& tokens) {
    std::vector<std::string> joined;
    std::string bytes;
    auto const flush = [&] {
        if (valid_utf8_prefix(bytes) < bytes.size()) joined.insert(joined.end(), bytes.size(), "\xEF\xBF\xBD");
        else if (!bytes.empty()) joined.push_back(bytes);
        bytes.clear();
    };
    for (auto const& token : tokens) {
        if (auto const byte = byte_of_token(token)) {
            bytes += *byte;
            continue;
        }
        flush();
        joined.push_back(token);
    }
    flush();
    return joined;
}

PLATEAU_INLINE std::string stripped(std::string_view token, text_step const& step) {
    for (std::size_t i = 0; i < step.left && token.starts_with(step.text); ++i) token.remove_prefix(step.text.size());
    for (std::size_t i = 0; i < step.right && token.ends_with(step.text); ++i) token.remove_suffix(step.text.size());
    return std::string{token};
}

PLATEAU_INLINE std::string bytes_of_letters_or_text(std::string_view token) {
    auto bytes = bytes_of_letters(token);
    return bytes ? *std::move(bytes) : std::string{token};
}

PLATEAU_INLINE std::string joined(std::vector<std::string> const& tokens, std::string_view between) {
    std::string text;
    for (auto const& token : tokens) {
        if (&token != tokens.data()) text += between;
        text += token;
    }
    return text;
}

}  // namespace detail

PLATEAU_INLINE std::string decoder::text_of_tokens(std::vector<std::string> tokens) const {
    using action = text_step::action;
    for (auto const& step : steps_) {
        if (step.what == action::byte_fallback) tokens = detail::join_byte_tokens(tokens);
        for (auto& token : tokens) {
            bool const first = &token == tokens.data();
            if (step.what == action::byte_letters) token = detail::bytes_of_letters_or_text(token);
            if (step.what == action::strip) token = detail::stripped(token, step);
            if (step.what == action::replace) token = replaced(token, step.text, step.content);
            if (step.what == action::metaspace) token = replaced(token, step.text, first ? "" : " ");
            if (step.what == action::metaspace_all) token = replaced(token, step.text, " ");
        }
        if (step.what == action::byte_letters) tokens.assign(1, mended_utf8(detail::joined(tokens, "")));
        if (step.what == action::fuse) tokens.assign(1, detail::joined(tokens, ""));
    }
    return detail::joined(tokens, steps_.empty() ? " " : "");
}

PLATEAU_INLINE std::string decoder::bytes_of_token(std::string_view token) const {
    using action = text_step::action;
    std::string bytes{token};
    for (auto const& step : steps_) {
        if (step.what == action::byte_letters) bytes = detail::bytes_of_letters_or_text(bytes);
        if (step.what == action::replace) bytes = replaced(bytes, step.text, step.content);
        if (step.what == action::metaspace || step.what == action::metaspace_all)
            bytes = replaced(bytes, step.text, " ");
        if (step.what != action::byte_fallback) continue;
        if (auto const byte = detail::byte_of_token(bytes)) return std::string(1, *byte);
    }
    return bytes;
}

}  // namespace plateau::io
