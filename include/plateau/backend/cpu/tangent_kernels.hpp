#pragma once
/// The kernels of tangents, for every instruction set. Compiled by those alone who ask for derivatives.

#include <cmath>
#include <numbers>
#include <type_traits>

#include <plateau/backend/cpu/kernels.hpp>

namespace plateau::backend {

/// One function per kernel, for elements of type T. Every element is computed in an order that depends on nothing but
/// its row.
template <class T>
struct tangent_kernel_table {
    /// With act(x) = x · g(x):  slope = act'(x), factor = g(x); with `up` (not null) slope = act'(x) · up,
    /// factor = act(x). At the kink of relu both are 0, as PyTorch has it. slope may be x, factor may be up
    void (*slope_row)(activation kind, T const* x, T const* up, index n, T* slope, T* factor);
    /// out = a · x + b · y, element by element; b and y may be null. out may be x or y
    void (*combine_row)(T const* a, T const* x, T const* b, T const* y, index n, T* out);
    /// out = (x − mean − unit · c) · gain: mean of x if it is centred, c = ⟨unit, x⟩ / n if the divisor moves along
    void (*norm_tangent_row)(T const* unit, T const* gain, T const* x, index n, bool centred, bool along, T* out);
    /// x_i = p_i (x_i − ⟨p, x⟩)
    void (*softmax_tangent_row)(T const* p, index n, T* x);
};

namespace plain {

template <activation Kind, class T>
T gate_of(T x) {
    if constexpr (Kind == activation::silu) return T{1} / (T{1} + std::exp(-x));
    if constexpr (Kind == activation::gelu) return T(0.5) * (T{1} + std::erf(x * (std::numbers::sqrt2_v<T> / T{2})));
    if constexpr (Kind == activation::gelu_tanh) {
        constexpr T root = std::numbers::inv_sqrtpi_v<T> * std::numbers::sqrt2_v<T>;
        return T(0.5) * (T{1} + std::tanh(root * (x + T(0.044715) * x * x * x)));
    }
    if constexpr (Kind == activation::relu) return x > T{0} ? T{1} : T{0};
}
template <activation Kind, class T>
T slope_of(T x, T g) {
    if constexpr (Kind == activation::silu) return g + x * g * (T{1} - g);
    if constexpr (Kind == activation::gelu) {
        constexpr T density = std::numbers::inv_sqrtpi_v<T> * std::numbers::sqrt2_v<T> / T{2};
        return g + x * density * std::exp(T(-0.5) * x * x);
    }
    if constexpr (Kind == activation::gelu_tanh) {
        constexpr T root = std::numbers::inv_sqrtpi_v<T> * std::numbers::sqrt2_v<T>;
        return g + x * T{2} * g * (T{1} - g) * root * (T{1} + T(3 * 0.044715) * x * x);
    }
    if constexpr (Kind == activation::relu) return g;
}

template <activation Kind, class T>
void slope_row_of(T const* x, T const* up, index n, T* slope, T* factor) {
    for (index i = 0; i < n; ++i) {
        T const at = x[i], gate = gate_of<Kind>(at);
        slope[i] = slope_of<Kind>(at, gate) * (up == nullptr ? T{1} : up[i]);
        factor[i] = up == nullptr ? gate : at * gate;
    }
}

template <class T>
void slope_row(activation kind, T const* x, T const* up, index n, T* slope, T* factor) {
    switch (kind) {
        case activation::silu: return slope_row_of<activation::silu>(x, up, n, slope, factor);
        case activation::gelu: return slope_row_of<activation::gelu>(x, up, n, slope, factor);
        case activation::gelu_tanh: return slope_row_of<activation::gelu_tanh>(x, up, n, slope, factor);
        case activation::relu: return slope_row_of<activation::relu>(x, up, n, slope, factor);
    }
}

template <class T>
void combine_row(T const* a, T const* x, T const* b, T const* y, index n, T* out) {
    for (index i = 0; i < n; ++i) out[i] = a[i] * x[i] + (b == nullptr ? T{0} : b[i] * y[i]);
}

template <class T>
void norm_tangent_row(T const* unit, T const* gain, T const* x, index n, bool centred, bool along, T* out) {
    T sum = 0, product = 0;
    for (index i = 0; i < n; ++i) sum += x[i], product += unit[i] * x[i];
    T const mean = centred ? sum / static_cast<T>(n) : T{0}, part = along ? product / static_cast<T>(n) : T{0};
    for (index i = 0; i < n; ++i) out[i] = (x[i] - mean - part * unit[i]) * gain[i];
}

template <class T>
void softmax_tangent_row(T const* p, index n, T* x) {
    T mean = 0;
    for (index i = 0; i < n; ++i) mean += p[i] * x[i];
    for (index i = 0; i < n; ++i) x[i] = p[i] * (x[i] - mean);
}

template <class T>
inline constexpr tangent_kernel_table<T> tangent_table{slope_row<T>, combine_row<T>, norm_tangent_row<T>,
                                                       softmax_tangent_row<T>};

}  // namespace plain
}  // namespace plateau::backend

#if defined(__x86_64__)

namespace plateau::backend::avx2 {
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#include <plateau/backend/cpu/kernels/tangents.inl>
inline constexpr tangent_kernel_table<float> tangent_table{slope_row, combine_row, norm_tangent_row,
                                                           softmax_tangent_row};
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
}  // namespace plateau::backend::avx2

namespace plateau::backend::avx512 {
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#endif
#include <plateau/backend/cpu/kernels/tangents.inl>
inline constexpr tangent_kernel_table<float> tangent_table{slope_row, combine_row, norm_tangent_row,
                                                           softmax_tangent_row};
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
}  // namespace plateau::backend::avx512

#endif

namespace plateau::backend {

/// The table of a path. @pre this machine can run it
template <class T>
tangent_kernel_table<T> const& tangent_kernels_of(instruction_set path) {
#if defined(__x86_64__)
    if constexpr (std::is_same_v<T, float>) {
        switch (path) {
            case instruction_set::avx2: return avx2::tangent_table;
            case instruction_set::avx512:
            case instruction_set::avx512_bf16:
            case instruction_set::amx: return avx512::tangent_table;
            case instruction_set::portable:
            case instruction_set::amx_emulated: break;
        }
    }
#endif
    static_cast<void>(path);
    return plain::tangent_table<T>;
}

PLATEAU_COMPILED_FUNCTION(tangent_kernels_of);

}  // namespace plateau::backend
