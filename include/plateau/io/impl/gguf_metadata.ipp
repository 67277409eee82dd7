#pragma once
/// Bodies of io/gguf_metadata.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf_cursor.hpp>
#include <plateau/io/gguf_metadata.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io {

namespace detail {

/// Bytes of one value of a type; 0 for those of varying length, and for a number that is no type.
constexpr std::size_t gguf_size_of(gguf_type type) {
    constexpr std::array<std::size_t, 13> sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    auto const i = static_cast<std::size_t>(type);
    return i < sizes.size() ? sizes[i] : 0;
}

PLATEAU_INLINE std::string gguf_name_of(gguf_type type, bool is_array) {
    constexpr std::array names{"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                               "bool",  "string", "array",  "uint64", "int64",  "float64"};
    return concat({is_array ? "an array of " : "a value of type ", names.at(static_cast<std::size_t>(type))});
}

PLATEAU_INLINE bool is_gguf_float(gguf_type type) { return type == gguf_type::float32 || type == gguf_type::float64; }

PLATEAU_INLINE bool is_gguf_string(gguf_type type) { return type == gguf_type::string; }

PLATEAU_INLINE bool is_gguf_boolean(gguf_type type) { return type == gguf_type::boolean; }

PLATEAU_INLINE bool is_gguf_integer(gguf_type type) {
    return !is_gguf_float(type) && !is_gguf_string(type) && !is_gguf_boolean(type);
}

PLATEAU_INLINE bool is_gguf_number(gguf_type type) { return is_gguf_integer(type) || is_gguf_float(type); }

template <class T>
T load_element(std::span<std::byte const> bytes, std::size_t i) {
    T element;
    std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));
    return element;
}

}  // namespace detail

PLATEAU_INLINE gguf_metadata::gguf_metadata(detail::gguf_cursor& cursor, std::uint64_t count) : where_{cursor.where()} {
    constexpr std::size_t least = 8 + 4 + 1;  // length of the key, type, a one-byte value
    cursor.require_room(count, least, "metadata entries");
    for (std::uint64_t i = 0; i < count; ++i) {
        auto const key = cursor.string("a metadata key");
        if (key.empty()) cursor.fail("a metadata key is empty");
        values_.push_back(read_value(cursor));
        if (!keys_.add(key).second) {
            cursor.fail(concat({"the metadata key ", printable(key), " occurs twice"}));
        }
    }
}

PLATEAU_INLINE gguf_metadata::stored_value gguf_metadata::read_value(detail::gguf_cursor& cursor) {
    auto const read_type = [&] {
        auto const number = cursor.scalar<std::uint32_t>("the type of a metadata value");
        if (number > static_cast<std::uint32_t>(gguf_type::float64)) {
            cursor.fail(concat({"unknown metadata type ", number}));
        }
        return static_cast<gguf_type>(number);
    };
    stored_value found{read_type(), false, 1, {}};
    if (found.type == gguf_type::array) {
        found.type = read_type();
        found.is_array = true;
        found.count = cursor.scalar<std::uint64_t>("the length of a metadata array");
        if (found.type == gguf_type::array) cursor.fail("arrays of arrays are not supported");
    }
    std::size_t const size = detail::gguf_size_of(found.type);
    cursor.require_room(found.count, size > 0 ? size : 8, "elements of a metadata array");
    if (size > 0) {
        found.bytes = cursor.take(found.count * size, "a metadata value");
    } else {
        auto begin = cursor;
        for (std::uint64_t i = 0; i < found.count; ++i) cursor.string("a metadata string");
        found.bytes = begin.take(cursor.position() - begin.position(), "metadata strings");
    }
    if (found.type == gguf_type::boolean) {
        for (auto byte : found.bytes) {
            if (std::to_integer<int>(byte) > 1) cursor.fail("a boolean metadata value is neither 0 nor 1");
        }
    }
    return found;
}

PLATEAU_INLINE gguf_metadata::stored_value const* gguf_metadata::find(std::string_view key, bool array,
                                                                      bool (*accepts)(gguf_type),
                                                                      char const* expected) const {
    auto const number = keys_.find(key);
    if (!number) return nullptr;
    stored_value const& found = values_[*number];
    // An empty array has no meaningful element type.
    if (found.is_array == array && (accepts(found.type) || (array && found.count == 0))) return &found;
    throw config_error(where_, ": the metadata key ", printable(key), " must hold ", expected, ", found ",
                       detail::gguf_name_of(found.type, found.is_array));
}

PLATEAU_INLINE_HOT index gguf_metadata::integer_at(stored_value const& value, std::size_t i,
                                                   std::string_view key) const {
    using detail::load_element;
    switch (value.type) {
        case gguf_type::uint8: return load_element<std::uint8_t>(value.bytes, i);
        case gguf_type::int8: return load_element<std::int8_t>(value.bytes, i);
        case gguf_type::uint16: return load_element<std::uint16_t>(value.bytes, i);
        case gguf_type::int16: return load_element<std::int16_t>(value.bytes, i);
        case gguf_type::uint32: return load_element<std::uint32_t>(value.bytes, i);
        case gguf_type::int32: return load_element<std::int32_t>(value.bytes, i);
        default: break;
    }
    auto const integer = load_element<index>(value.bytes, i);
    if (value.type == gguf_type::uint64 && integer < 0) {
        throw config_error(where_, ": the metadata key ", printable(key), " holds an integer that is absurdly large");
    }
    return integer;
}

PLATEAU_INLINE_HOT double gguf_metadata::number_at(stored_value const& value, std::size_t i,
                                                   std::string_view key) const {
    if (value.type == gguf_type::float32) return static_cast<double>(detail::load_element<float>(value.bytes, i));
    if (value.type == gguf_type::float64) return detail::load_element<double>(value.bytes, i);
    return static_cast<double>(integer_at(value, i, key));
}

PLATEAU_INLINE std::optional<index> gguf_metadata::integer(std::string_view key) const {
    auto const* found = find(key, false, detail::is_gguf_integer, "an integer");
    if (found == nullptr) return std::nullopt;
    return integer_at(*found, 0, key);
}

PLATEAU_INLINE std::optional<double> gguf_metadata::number(std::string_view key) const {
    auto const* found = find(key, false, detail::is_gguf_number, "a number");
    if (found == nullptr) return std::nullopt;
    return number_at(*found, 0, key);
}

PLATEAU_INLINE std::optional<bool> gguf_metadata::boolean(std::string_view key) const {
    auto const* found = find(key, false, detail::is_gguf_boolean, "a bool");
    if (found == nullptr) return std::nullopt;
    return std::to_integer<int>(found->bytes[0]) != 0;
}

PLATEAU_INLINE std::optional<std::string> gguf_metadata::text(std::string_view key) const {
    auto const* found = find(key, false, detail::is_gguf_string, "a string");
    if (found == nullptr) return std::nullopt;
    return std::string(detail::gguf_cursor{found->bytes, where_}.string("a string"));
}

PLATEAU_INLINE std::vector<index> gguf_metadata::integers(std::string_view key) const {
    auto const* found = find(key, true, detail::is_gguf_integer, "an array of integers");
    if (found == nullptr) return {};
    std::vector<index> integers(static_cast<std::size_t>(found->count));
    for (std::size_t i = 0; i < integers.size(); ++i) integers[i] = integer_at(*found, i, key);
    return integers;
}

PLATEAU_INLINE std::vector<double> gguf_metadata::numbers(std::string_view key) const {
    auto const* found = find(key, true, detail::is_gguf_number, "an array of numbers");
    if (found == nullptr) return {};
    std::vector<double> numbers(static_cast<std::size_t>(found->count));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = number_at(*found, i, key);
    return numbers;
}

PLATEAU_INLINE std::vector<std::string_view> gguf_metadata::texts(std::string_view key) const {
    auto const* found = find(key, true, detail::is_gguf_string, "an array of strings");
    if (found == nullptr) return {};
    detail::gguf_cursor cursor{found->bytes, where_};
    std::vector<std::string_view> texts(static_cast<std::size_t>(found->count));
    for (auto& text : texts) text = cursor.string("a string");
    return texts;
}

PLATEAU_INLINE std::vector<index> gguf_metadata::booleans(std::string_view key) const {
    auto const* found = find(key, true, detail::is_gguf_boolean, "an array of bools");
    if (found == nullptr) return {};
    std::vector<index> booleans(static_cast<std::size_t>(found->count));
    for (std::size_t i = 0; i < booleans.size(); ++i) booleans[i] = std::to_integer<index>(found->bytes[i]);
    return booleans;
}

}  // namespace plateau::io
