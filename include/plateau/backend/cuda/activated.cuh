#pragma once
/// Activations as kernels compute them.

#include <math.h>

#include <cuda_runtime.h>

#include <plateau/core/variants.hpp>

namespace plateau::backend::cuda {

template <activation Kind, class T>
__device__ __forceinline__ T activated(T x) {
    if constexpr (Kind == activation::silu) return x / (T(1) + exp(-x));
    if constexpr (Kind == activation::gelu) return x * T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
    // ½ (1 + tanh u) = 1 / (1 + e^−2u)
    if constexpr (Kind == activation::gelu_tanh) {
        return x / (T(1) + exp(T(-1.59576912160573071176) * (x + T(0.044715) * x * x * x)));
    }
    if constexpr (Kind == activation::relu) return x < T(0) ? T(0) : x;  // a NaN stays one
}

template <activation Kind>
struct act {
    template <class T>
    __device__ T operator()(T x) const {
        return activated<Kind>(x);
    }
    template <class T>
    __device__ T operator()(T x, T up) const {
        return activated<Kind>(x) * up;
    }
};

}  // namespace plateau::backend::cuda
