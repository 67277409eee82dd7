#pragma once
/// bfloat16 in kernels, with the bits of core/dtype.hpp, whose functions are the host's.

#include <cuda_runtime.h>

#include <plateau/core/dtype.hpp>

namespace plateau::backend::cuda {

/// Rounds to nearest, ties to even; NaN stays NaN.
__device__ __forceinline__ bfloat16 to_bf16(float value) {
    unsigned const word = __float_as_uint(value);
    bool const is_nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
    unsigned const nearest = word + 0x7FFFu + ((word >> 16) & 1u);
    bfloat16 result;
    result.bits = static_cast<unsigned short>((is_nan ? word | 0x400000u : nearest) >> 16);
    return result;
}

/// Exact.
__device__ __forceinline__ float widened(bfloat16 value) { return __uint_as_float(unsigned{value.bits} << 16); }

/// Two bfloat16 that stand for a float.
struct bfloat16_parts {
    bfloat16 high, low;
};

/// value ≈ high + low, within 2⁻¹⁶ of it: the nearest bfloat16, and that of what it lacks. Where the nearest is
/// infinite and the value is not, both parts are cut off instead, so that their sum is finite too. An infinity is its
/// low part, beside a high one of ±1: that makes x₂ w₁ and x₁ w₂ what x w is, also where w is infinite, and never the
/// NaN that ∞ · 0 or ∞ − ∞ would be.
__device__ __forceinline__ bfloat16_parts parts_of(float value) {
    auto const cut = [](float x) {
        bfloat16 result;
        result.bits = static_cast<unsigned short>(__float_as_uint(x) >> 16);
        return result;
    };
    constexpr unsigned infinity = 0x7F800000u, sign = 0x80000000u;
    bfloat16 high = to_bf16(value);
    if ((unsigned{high.bits} << 16 & ~sign) != infinity) return {high, to_bf16(value - widened(high))};
    unsigned const word = __float_as_uint(value);
    if ((word & ~sign) == infinity) return {cut(__uint_as_float((word & sign) | 0x3F800000u)), high};
    high = cut(value);
    return {high, cut(value - widened(high))};
}

}  // namespace plateau::backend::cuda
