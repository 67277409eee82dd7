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

}  // namespace plateau::backend::cuda
