#pragma once
/// Bodies of io/gguf_cursor.hpp.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/gguf_cursor.hpp>

namespace plateau::io::detail {

PLATEAU_INLINE std::string_view gguf_cursor::string(char const* what) {
    auto const length = scalar<std::uint64_t>(what);
    auto const bytes = take(length, what);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

PLATEAU_INLINE std::span<std::byte const> gguf_cursor::take(std::uint64_t count, char const* what) {
    if (count > left()) {
        fail(concat(
            {"the file ends within ", what, ": ", count, " bytes wanted, ", left(), " left; download it again"}));
    }
    auto const bytes = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += bytes.size();
    return bytes;
}

PLATEAU_INLINE void gguf_cursor::require_room(std::uint64_t count, std::size_t least, char const* what) const {
    if (count > left() / least) {
        fail(concat(
            {"the file claims ", count, " ", what, ", but only ", left(), " bytes are left; it is damaged or cut"}));
    }
}

PLATEAU_INLINE void gguf_cursor::fail(std::string_view what) const {
    throw file_error(where_, ": not a usable GGUF file near byte ", position_, ": ", what);
}

}  // namespace plateau::io::detail
