#pragma once
/// Row normalisation, in the three steps at which one may look: scale, normalised, affine.

#include <array>
#include <cmath>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>

namespace plateau::backend {

namespace detail {

/// Σ f(x_i) in double over a fixed set of partial sums.
template <class T, class F>
double lane_sum(T const* x, index n, F&& f) {
    constexpr index lanes = 8;
    std::array<double, lanes> sums{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (index lane = 0; lane < lanes; ++lane) {
            sums[static_cast<std::size_t>(lane)] += f(static_cast<double>(x[i + lane]));
        }
    }
    for (index lane = 0; i < n; ++i, ++lane) sums[static_cast<std::size_t>(lane)] += f(static_cast<double>(x[i]));
    double total = 0;
    for (double sum : sums) total += sum;
    return total;
}

template <class T>
[[gnu::noinline]] T rms_scale_row(T const* x, index n, double epsilon) {
    double const squares = lane_sum(x, n, [](double value) { return value * value; });
    return static_cast<T>(std::sqrt(squares / static_cast<double>(n) + epsilon));
}

template <class T>
[[gnu::noinline]] T centre_row(T const* x, index n, double epsilon, T* centred) {
    double const size = static_cast<double>(n);
    double const mean = lane_sum(x, n, [](double value) { return value; }) / size;
    double const squares = lane_sum(x, n, [mean](double value) { return (value - mean) * (value - mean); });
    for (index i = 0; i < n; ++i) centred[i] = static_cast<T>(static_cast<double>(x[i]) - mean);
    return static_cast<T>(std::sqrt(squares / size + epsilon));
}

template <class T>
[[gnu::noinline]] void divide_row(T const* x, index n, T scale, T* out) {
    T const inverse = T{1} / scale;
    for (index i = 0; i < n; ++i) out[i] = x[i] * inverse;
}

template <class T>
[[gnu::noinline]] void affine_row(T const* x, index n, T const* weight, T const* bias, T* out) {
    for (index i = 0; i < n; ++i) {
        T value = x[i];
        if (weight != nullptr) value *= weight[i];
        if (bias != nullptr) value += bias[i];
        out[i] = value;
    }
}

}  // namespace detail

/// scale[r] = √(mean(x_r²) + ε): the divisor of RMSNorm, TransformerLens' `hook_scale`. Sums in double.
/// @param x  [R, D]      @param scale  [R]
template <class T>
void rms_scale(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x, double epsilon,
               tensor::view<T, 1> scale) {
    for (index r = 0; r < x.extent(0); ++r) scale[r] = detail::rms_scale_row(x[r].data(), x.extent(1), epsilon);
}

/// centred_r = x_r − mean(x_r), scale[r] = √(var(x_r) + ε): the divisor of LayerNorm (two passes). Sums in double.
/// @param x,centred  [R, D]      @param scale  [R]
template <class T>
void centre_and_scale(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x, double epsilon,
                      tensor::view<T, 2> centred, tensor::view<T, 1> scale) {
    for (index r = 0; r < x.extent(0); ++r) {
        scale[r] = detail::centre_row(x[r].data(), x.extent(1), epsilon, centred[r].data());
    }
}

/// out_r = x_r · (1 / scale[r]): one division per row, one rounding more than x_r / scale[r].
/// @param x,out  [R, D], may be the same      @param scale  [R]
template <class T>
void divide_rows(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x,
                 std::type_identity_t<tensor::view<T const, 1>> scale, tensor::view<T, 2> out) {
    for (index r = 0; r < x.extent(0); ++r) detail::divide_row(x[r].data(), x.extent(1), scale[r], out[r].data());
}

/// out_r = x_r · weight + bias, element by element.
/// @param x,out  [R, D], may be the same      @param weight,bias  [D]; an empty weight is 1, an empty bias 0
template <class T>
void affine(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x,
            std::type_identity_t<tensor::view<T const, 1>> weight, std::type_identity_t<tensor::view<T const, 1>> bias,
            tensor::view<T, 2> out) {
    for (index r = 0; r < x.extent(0); ++r) {
        detail::affine_row(x[r].data(), x.extent(1), weight.data(), bias.data(), out[r].data());
    }
}

}  // namespace plateau::backend
