#pragma once
/// Converts stored floats, little-endian and at any alignment, to the element type of a computation.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <plateau/core/dtype.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

static_assert(std::endian::native == std::endian::little, "the readers assume a little-endian machine");

/// Element types that weights can be read into.
template <class T>
concept ReadableFloat = std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, bfloat16>;

/// A double to bfloat16, rounded once, to nearest, ties to even.
inline bfloat16 round_to_bfloat16(double value) {
    // To float with the last bit sticky ("round to odd"), so that the second rounding cannot see a false tie.
    float const nearest = static_cast<float>(value);
    if (static_cast<double>(nearest) == value || std::isnan(value)) return bfloat16(nearest);
    auto word = std::bit_cast<std::uint32_t>(nearest);
    if (std::abs(static_cast<double>(nearest)) > std::abs(value)) --word;
    return bfloat16(std::bit_cast<float>(word | 1u));
}

/// One element: widening is exact, narrowing rounds once to nearest, ties to even.
template <ReadableFloat To, class From>
To convert_element(From value) {
    if constexpr (std::is_same_v<To, From>) return value;
    else if constexpr (std::is_same_v<To, bfloat16> && std::is_same_v<From, double>) return round_to_bfloat16(value);
    else if constexpr (std::is_same_v<From, float> || std::is_same_v<From, double>) return static_cast<To>(value);
    else return static_cast<To>(static_cast<float>(value));
}

inline bool is_finite(float value) { return (std::bit_cast<std::uint32_t>(value) & 0x7F800000u) != 0x7F800000u; }
inline bool is_finite(double value) {
    constexpr std::uint64_t exponent = 0x7FF0000000000000u;
    return (std::bit_cast<std::uint64_t>(value) & exponent) != exponent;
}
inline bool is_finite(bfloat16 value) { return (value.bits & 0x7F80u) != 0x7F80u; }

/// Converts out.size() elements that are stored at `bytes` as `stored`.
/// @pre bytes.size() == out.size() * size_of(stored); `bytes` may have any alignment
/// @return the flat index of the first converted value that is not finite, or -1. A finite value that
///         overflows the narrower type counts as not finite.
template <ReadableFloat To>
index convert_elements(dtype stored, std::span<std::byte const> bytes, std::span<To> out);

namespace detail {

/// The highest bit is set if the value is not finite: a full exponent, plus one, carries into it.
inline std::uint32_t overflow_bits(float value) {
    return (std::bit_cast<std::uint32_t>(value) & 0x7F800000u) + 0x00800000u;
}
inline std::uint64_t overflow_bits(double value) {
    return (std::bit_cast<std::uint64_t>(value) & 0x7FF0000000000000u) + 0x0010000000000000u;
}
inline std::uint16_t overflow_bits(bfloat16 value) {
    return static_cast<std::uint16_t>((value.bits & 0x7F80u) + 0x0080u);
}

/// Elements that are converted together: two cache lines of the wider type.
template <class From, class To>
inline constexpr std::size_t convert_block_size = 128 / std::max(sizeof(From), sizeof(To));

/// Converts a block of elements; false if one of them is not finite, before or after. The loop has a fixed length and
/// writes to an array that overlaps with nothing: so it becomes vector instructions at -O2 already.
template <class From, class To>
bool convert_block(std::byte const* bytes, To* out) {
    constexpr std::size_t count = convert_block_size<From, To>;
    constexpr bool rounds = std::is_same_v<From, float> && std::is_same_v<To, bfloat16>;
    To to[count];
    decltype(overflow_bits(To{})) overflow = 0;
    std::uint32_t overflow_before = 0;
    for (std::size_t i = 0; i < count; ++i) {
        From value;
        std::memcpy(&value, bytes + i * sizeof(From), sizeof(From));
        if constexpr (rounds) {  // bfloat16(value) without its care for NaN
            auto const word = std::bit_cast<std::uint32_t>(value);
            overflow_before |= overflow_bits(value);
            to[i].bits = static_cast<std::uint16_t>((word + 0x7FFFu + ((word >> 16) & 1u)) >> 16);
        } else {
            to[i] = convert_element<To>(value);
        }
        overflow |= overflow_bits(to[i]);
    }
    std::memcpy(out, to, sizeof to);
    return overflow >> (8 * sizeof overflow - 1) == 0 && overflow_before >> 31 == 0;
}

template <class From, class To>
index convert_from(std::byte const* bytes, std::span<To> out) {
    std::size_t i = 0;
    if constexpr (sizeof(From) < sizeof(double) ||
                  sizeof(To) == sizeof(double)) {  // who narrows doubles is in no hurry
        constexpr std::size_t block = convert_block_size<From, To>;
        while (i + block <= out.size() && convert_block<From>(bytes + i * sizeof(From), out.data() + i)) i += block;
    }
    for (; i < out.size(); ++i) {  // the last few; or a block with a value that is not finite
        From value;
        std::memcpy(&value, bytes + i * sizeof(From), sizeof(From));
        out[i] = convert_element<To>(value);
        if (!is_finite(out[i])) return static_cast<index>(i);
    }
    return -1;
}

}  // namespace detail

template <ReadableFloat To>
index convert_elements(dtype stored, std::span<std::byte const> bytes, std::span<To> out) {
    switch (stored) {
        case dtype::f64: return detail::convert_from<double>(bytes.data(), out);
        case dtype::f32: return detail::convert_from<float>(bytes.data(), out);
        case dtype::f16: return detail::convert_from<float16>(bytes.data(), out);
        default: return detail::convert_from<bfloat16>(bytes.data(), out);
    }
}

}  // namespace plateau::io
