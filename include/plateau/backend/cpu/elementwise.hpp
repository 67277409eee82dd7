#pragma once
/// Additions, activations and rotary embedding on rows.

#include <cmath>
#include <numbers>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

namespace detail {

template <class T>
[[gnu::noinline]] void add_row(T const* x, index n, T* y) {
    for (index i = 0; i < n; ++i) y[i] += x[i];
}

template <activation Kind, class T>
inline T activate_one(T x) {
    if constexpr (Kind == activation::silu) return x / (T{1} + std::exp(-x));
    if constexpr (Kind == activation::gelu) {
        return x * T(0.5) * (T{1} + std::erf(x * (std::numbers::sqrt2_v<T> / T{2})));
    }
    if constexpr (Kind == activation::gelu_tanh) {
        constexpr T root = std::numbers::inv_sqrtpi_v<T> * std::numbers::sqrt2_v<T>;
        return T(0.5) * x * (T{1} + std::tanh(root * (x + T(0.044715) * x * x * x)));
    }
    if constexpr (Kind == activation::relu) return x < T{0} ? T{0} : x;  // a NaN stays one
}

template <activation Kind, class T>
[[gnu::noinline]] void activate_row(T const* x, T const* up, index n, T* out) {
    if (up == nullptr) {
        for (index i = 0; i < n; ++i) out[i] = activate_one<Kind>(x[i]);
    } else {
        for (index i = 0; i < n; ++i) out[i] = activate_one<Kind>(x[i]) * up[i];
    }
}

template <class T>
[[gnu::noinline]] void rotate_row(T* x, index heads, T const* cosines, T const* sines, index half) {
    for (index h = 0; h < heads; ++h) {
        T* const low = x + h * 2 * half;
        T* const high = low + half;
        for (index i = 0; i < half; ++i) {
            T const a = low[i], b = high[i];
            low[i] = a * cosines[i] - b * sines[i];
            high[i] = b * cosines[i] + a * sines[i];
        }
    }
}

}  // namespace detail

/// y += x. @param x,y  [R, D]
template <class T>
void add(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x, tensor::view<T, 2> y) {
    for (index r = 0; r < y.extent(0); ++r) detail::add_row(x[r].data(), y.extent(1), y[r].data());
}

/// y_r += bias. @param bias  [D]      @param y  [R, D]
template <class T>
void add_bias(cpu_context const&, std::type_identity_t<tensor::view<T const, 1>> bias, tensor::view<T, 2> y) {
    for (index r = 0; r < y.extent(0); ++r) detail::add_row(bias.data(), y.extent(1), y[r].data());
}

/// out = act(x), or act(x) · up for a gated layer.
/// @param x,out  [R, F], may be the same      @param up  [R, F], or empty for a plain layer
template <class T>
void activate(cpu_context const&, activation kind, std::type_identity_t<tensor::view<T const, 2>> x,
              std::type_identity_t<tensor::view<T const, 2>> up, tensor::view<T, 2> out) {
    for (index r = 0; r < x.extent(0); ++r) {
        T const* const from = x[r].data();
        T const* const gated = up.data() == nullptr ? nullptr : up[r].data();
        T* const to = out[r].data();
        switch (kind) {
            case activation::silu: detail::activate_row<activation::silu>(from, gated, x.extent(1), to); break;
            case activation::gelu: detail::activate_row<activation::gelu>(from, gated, x.extent(1), to); break;
            case activation::gelu_tanh: detail::activate_row<activation::gelu_tanh>(from, gated, x.extent(1), to); break;
            case activation::relu: detail::activate_row<activation::relu>(from, gated, x.extent(1), to); break;
        }
    }
}

/// Rotates the pairs (x_i, x_{i+E/2}) of every head by the angle θ_i of its row ("rotate half"):
///     x_i' = x_i cos θ_i − x_{i+E/2} sin θ_i,   x_{i+E/2}' = x_{i+E/2} cos θ_i + x_i sin θ_i
/// @param x  [R, H · E], in place      @param cosines,sines  [R, E/2]
template <class T>
void rotate(cpu_context const&, tensor::view<T, 2> x, std::type_identity_t<tensor::view<T const, 2>> cosines,
            std::type_identity_t<tensor::view<T const, 2>> sines) {
    index const half = cosines.extent(1);
    for (index r = 0; r < x.extent(0); ++r) {
        detail::rotate_row(x[r].data(), x.extent(1) / (2 * half), cosines[r].data(), sines[r].data(), half);
    }
}

}  // namespace plateau::backend
