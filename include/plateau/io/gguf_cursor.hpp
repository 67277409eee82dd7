#pragma once
/// A bounds-checked walk over the bytes of a GGUF file.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>

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
    [[gnu::cold]] std::string_view string(char const* what) {
        auto const length = scalar<std::uint64_t>(what);
        auto const bytes = take(length, what);
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }

    /// The next `count` bytes. @throws file_error if the file ends before
    [[gnu::cold]] std::span<std::byte const> take(std::uint64_t count, char const* what) {
        if (count > left()) {
            fail(concat(
                {"the file ends within ", what, ": ", count, " bytes wanted, ", left(), " left; download it again"}));
        }
        auto const bytes = bytes_.subspan(position_, static_cast<std::size_t>(count));
        position_ += bytes.size();
        return bytes;
    }

    /// Requires room for `count` items of at least `least` bytes each, so that no count is trusted.
    void require_room(std::uint64_t count, std::size_t least, char const* what) const {
        if (count > left() / least) {
            fail(concat({"the file claims ", count, " ", what, ", but only ", left(),
                         " bytes are left; it is damaged or cut"}));
        }
    }

    /// @throws file_error with the file and the byte offset
    [[noreturn, gnu::cold]] void fail(std::string_view what) const {
        throw file_error(where_, ": not a usable GGUF file near byte ", position_, ": ", what);
    }

private:
    std::span<std::byte const> bytes_;
    std::string where_;
    std::size_t position_ = 0;
};

}  // namespace plateau::io::detail
