#pragma once
/// Element types of stored tensors, and the two 16-bit floats as storage types.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plateau {

enum class dtype : std::uint8_t { f64, f32, f16, bf16 };

/// Bytes of one element.
constexpr std::size_t size_of(dtype type) {
    switch (type) {
        case dtype::f64: return 8;
        case dtype::f32: return 4;
        default: return 2;
    }
}

constexpr std::string_view name_of(dtype type) {
    switch (type) {
        case dtype::f64: return "fp64";
        case dtype::f32: return "fp32";
        case dtype::f16: return "fp16";
        default: return "bf16";
    }
}

/// bfloat16 as storage: the upper half of an IEEE binary32. Arithmetic is done in float.
struct bfloat16 {
    std::uint16_t bits = 0;

    constexpr bfloat16() = default;

    /// Rounds to nearest, ties to even; NaN stays NaN.
    constexpr explicit bfloat16(float value) {
        auto const word = std::bit_cast<std::uint32_t>(value);
        bool const is_nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
        std::uint32_t const rounded = word + 0x7FFFu + ((word >> 16) & 1u);
        bits = static_cast<std::uint16_t>((is_nan ? word | 0x400000u : rounded) >> 16);
    }

    /// Exact.
    constexpr explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// IEEE binary16 as storage; widening to float is exact.
struct float16 {
    std::uint16_t bits = 0;

    constexpr explicit operator float() const {  // without branches, so that loops over it vectorise
        std::uint32_t const sign = std::uint32_t{bits & 0x8000u} << 16;
        std::uint32_t const magnitude = std::uint32_t{bits & 0x7FFFu} << 13;
        constexpr std::uint32_t rebias = 112u << 23;
        std::uint32_t const is_subnormal = 0u - std::uint32_t{magnitude < (1u << 23)};
        std::uint32_t const is_special = 0u - std::uint32_t{magnitude >= (31u << 23)};
        std::uint32_t const normal = magnitude + rebias + (rebias & is_special);
        auto const subnormal = std::bit_cast<std::uint32_t>(static_cast<float>(bits & 0x3FF) * 0x1p-24f);
        return std::bit_cast<float>(sign | (subnormal & is_subnormal) | (normal & ~is_subnormal));
    }
};

/// The dtype that stores T.
template <class T>
inline constexpr dtype dtype_of = [] {
    if constexpr (sizeof(T) == 8) return dtype::f64;
    else return dtype::f32;
}();
template <>
inline constexpr dtype dtype_of<bfloat16> = dtype::bf16;
template <>
inline constexpr dtype dtype_of<float16> = dtype::f16;

}  // namespace plateau
