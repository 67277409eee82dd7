#pragma once
/// A bounds-checked reader of scalars and strings from the bytes of a GGUF file.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/macros.hpp>

namespace plateau::io::detail {

static_assert(std::endian::native == std::endian::little, "the readers assume a little-endian machine");

/// Reads little-endian scalars and strings from front to back. Every length is checked against the bytes
/// that are left before it is used. The strings are views of the bytes.
class gguf_cursor {
public:
    gguf_cursor(std::span<std::byte const> bytes, std::string where) : bytes_{bytes}, where_{std::move(where)} {}

    std::size_t position() const { return position_; }
    std::size_t left() const { return bytes_.size() - position_; }
    std::string const& where() const { return where_; }

    /// @throws file_error if the file ends before
    template <class T>
    T scalar(char const* what) {
        T value;
        std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
        return value;
    }

    /// A 64-bit length and that many bytes. @throws file_error if the file ends before
    std::string_view string(char const* what);

    /// The next `count` bytes. @throws file_error if the file ends before
    std::span<std::byte const> take(std::uint64_t count, char const* what);

    /// Requires room for `count` items of at least `least` bytes each, so that no count is trusted.
    void require_room(std::uint64_t count, std::size_t least, char const* what) const;

    /// @throws file_error with the file and the byte offset
    [[noreturn]] void fail(std::string_view what) const;

private:
    std::span<std::byte const> bytes_;
    std::string where_;
    std::size_t position_ = 0;
};

}  // namespace plateau::io::detail

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_cursor.ipp>
#endif
