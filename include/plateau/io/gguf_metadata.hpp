#pragma once
/// The key-value section of a GGUF file, with typed access.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf_cursor.hpp>

namespace plateau::io {

/// Value types, numbered as in the file.
enum class gguf_type : std::uint32_t {
    uint8,
    int8,
    uint16,
    int16,
    uint32,
    int32,
    float32,
    boolean,
    string,
    array,
    uint64,
    int64,
    float64,
};

/// Typed access to the values. They stay in the mapped file until asked for, so that a vocabulary that
/// nobody reads costs nothing but the check of its lengths; views of strings live as long as the mapping.
/// Every getter gives nothing for an absent key and
/// @throws config_error naming the file, the key and both types, if the value has another type, or is
///         an integer beyond int64
class gguf_metadata {
public:
    gguf_metadata() = default;

    /// Reads `count` pairs. Array elements may not be arrays themselves.
    /// @throws file_error: cut, a key twice, an unknown type, a boolean that is neither 0 nor 1
    gguf_metadata(detail::gguf_cursor& cursor, std::uint64_t count);

    bool contains(std::string_view key) const { return keys_.contains(key); }

    /// Sorted.
    std::vector<std::string> keys() const { return keys_.names(); }

    std::optional<index> integer(std::string_view key) const;
    /// Any number, integers too.
    std::optional<double> number(std::string_view key) const;
    std::optional<bool> boolean(std::string_view key) const;
    std::optional<std::string> text(std::string_view key) const;
    /// The elements of an array; none if it is absent.
    std::vector<index> integers(std::string_view key) const;
    /// Any numbers, integers too.
    std::vector<double> numbers(std::string_view key) const;
    std::vector<std::string_view> texts(std::string_view key) const;
    /// 0 or 1.
    std::vector<index> booleans(std::string_view key) const;

private:
    struct stored_value {
        gguf_type type;
        bool is_array;
        std::uint64_t count;
        std::span<std::byte const> bytes;
    };

    stored_value const* find(std::string_view key, bool array, bool (*accepts)(gguf_type), char const* expected) const;
    index integer_at(stored_value const& value, std::size_t i, std::string_view key) const;
    double number_at(stored_value const& value, std::size_t i, std::string_view key) const;
    static stored_value read_value(detail::gguf_cursor& cursor);

    std::string where_;
    name_index keys_;
    std::vector<stored_value> values_;  // in step with keys_
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_metadata.ipp>
#endif
