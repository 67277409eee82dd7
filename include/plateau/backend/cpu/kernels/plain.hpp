#pragma once
/// The kernels in plain C++ and Eigen, for any type of element and any processor: what double computes with, and what the
/// others are tested against.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include <Eigen/Core>

#include <plateau/backend/cpu/kernels/table.hpp>
#include <plateau/backend/cpu/scratch.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend::plain {

/// Rows × 64 of a product, as many columns at a time as fit into the registers, in Eigen's vectors.
template <bool FourRows, class T>
[[gnu::noinline]] void multiply_rows(T const* a, index a_stride, T const* b, index b_stride, index depth, T* c, index c_stride,
                                     sum_start start) {
    constexpr int columns = 2 * EIGEN_MAX_STATIC_ALIGN_BYTES / sizeof(T);
    using row = Eigen::Array<T, 1, columns>;
    for (index j = 0; j < panel_columns; j += columns) {
        auto const out = [&](index r) { return Eigen::Map<row>(c + r * c_stride + j); };
        row sum0 = row::Zero(), sum1 = row::Zero(), sum2 = row::Zero(), sum3 = row::Zero();
        bool const goes_on = start == sum_start::continued, apart = start == sum_start::apart;
        if (goes_on) sum0 = out(0);
        if (FourRows && goes_on) sum1 = out(1), sum2 = out(2), sum3 = out(3);
        for (index k = 0; k < depth; ++k) {
            row const weights = Eigen::Map<row const>(b + k * b_stride + j);
            sum0 += a[k] * weights;
            if constexpr (FourRows) {
                sum1 += a[a_stride + k] * weights;
                sum2 += a[2 * a_stride + k] * weights;
                sum3 += a[3 * a_stride + k] * weights;
            }
        }
        if (apart) sum0 += out(0);
        if (FourRows && apart) sum1 += out(1), sum2 += out(2), sum3 += out(3);
        out(0) = sum0;
        if (FourRows) out(1) = sum1, out(2) = sum2, out(3) = sum3;
    }
}

template <class T>
void multiply(T const* a, index a_stride, T const* b, index b_stride, index rows, index depth, T* c, index c_stride, sum_start start,
              T const*) {
    for (; rows >= 4; rows -= 4, a += 4 * a_stride, c += 4 * c_stride) {
        multiply_rows<true>(a, a_stride, b, b_stride, depth, c, c_stride, start);
    }
    for (; rows > 0; --rows, a += a_stride, c += c_stride) {
        multiply_rows<false>(a, a_stride, b, b_stride, depth, c, c_stride, start);
    }
}

/// A row rounded to bfloat16, as the bits of floats; a zero follows an odd number of them.
inline void round_row(float const* x, index count, std::uint32_t* out) {
    for (index k = 0; k < count; ++k) out[k] = std::uint32_t{bfloat16{x[k]}.bits} << 16;
    if (count % 2 != 0) out[count] = 0;
}

inline void multiply_bf16(std::uint32_t const* a, index a_stride, std::uint32_t const* b, index rows, index depth, float* c,
                          index c_stride, sum_start start, std::uint32_t const*) {
    float* const inputs = detail::scratch<float, 5>(depth);
    float* const weights = detail::scratch<float, 6>(depth * panel_columns);
    for (index k = 0; k < depth; ++k) {
        for (index j = 0; j < panel_columns; ++j) {
            std::uint32_t const pair = b[k / 2 * panel_columns + j];
            weights[k * panel_columns + j] = std::bit_cast<float>(k % 2 == 0 ? pair << 16 : pair & 0xFFFF0000u);
        }
    }
    for (index r = 0; r < rows; ++r) {
        std::memcpy(inputs, a + r * a_stride, static_cast<std::size_t>(depth) * sizeof(float));
        multiply<float>(inputs, depth, weights, panel_columns, 1, depth, c + r * c_stride, c_stride, start, nullptr);
    }
}

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
T rms_scale_row(T const* x, index n, double epsilon) {
    double const squares = lane_sum(x, n, [](double value) { return value * value; });
    return static_cast<T>(std::sqrt(squares / static_cast<double>(n) + epsilon));
}

template <class T>
T centre_row(T const* x, index n, double epsilon, T* centred) {
    double const size = static_cast<double>(n);
    double const mean = lane_sum(x, n, [](double value) { return value; }) / size;
    double const squares = lane_sum(x, n, [mean](double value) { return (value - mean) * (value - mean); });
    for (index i = 0; i < n; ++i) centred[i] = static_cast<T>(static_cast<double>(x[i]) - mean);
    return static_cast<T>(std::sqrt(squares / size + epsilon));
}

template <class T>
void divide_row(T const* x, index n, T scale, T* out) {
    T const inverse = T{1} / scale;
    for (index i = 0; i < n; ++i) out[i] = x[i] * inverse;
}

template <class T>
void affine_row(T const* x, index n, T const* weight, T const* bias, T* out) {
    for (index i = 0; i < n; ++i) {
        T value = x[i];
        if (weight != nullptr) value *= weight[i];
        if (bias != nullptr) value += bias[i];
        out[i] = value;
    }
}

template <class T>
void add_row(T const* x, index n, T* y) {
    for (index i = 0; i < n; ++i) y[i] += x[i];
}

template <class T>
void scale_row(T* x, index n, T factor) {
    for (index i = 0; i < n; ++i) x[i] *= factor;
}

template <activation Kind, class T>
T activated(T x) {
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
void activate_row_of(T const* x, T const* up, index n, T* out) {
    for (index i = 0; i < n; ++i) out[i] = up == nullptr ? activated<Kind>(x[i]) : activated<Kind>(x[i]) * up[i];
}

template <class T>
void activate_row(activation kind, T const* x, T const* up, index n, T* out) {
    switch (kind) {
        case activation::silu: return activate_row_of<activation::silu>(x, up, n, out);
        case activation::gelu: return activate_row_of<activation::gelu>(x, up, n, out);
        case activation::gelu_tanh: return activate_row_of<activation::gelu_tanh>(x, up, n, out);
        case activation::relu: return activate_row_of<activation::relu>(x, up, n, out);
    }
}

template <class T>
void rotate_row(T* x, index heads, T const* cosines, T const* sines, index half) {
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

template <class T>
void softmax_row(T* row, index count) {
    T largest = row[0];
    for (index j = 1; j < count; ++j) largest = std::max(largest, row[j]);
    T sum = 0;
    for (index j = 0; j < count; ++j) {
        row[j] = std::exp(row[j] - largest);
        sum += row[j];
    }
    scale_row(row, count, T{1} / sum);
}

template <class T>
void dot_heads(T const* q, T const* k, index heads, index group, index width, T* out) {
    for (index h = 0; h < heads; ++h) {
        T sum = 0;
        for (index e = 0; e < width; ++e) sum += q[h * width + e] * k[h / group * width + e];
        out[h] = sum;
    }
}

template <class T>
inline constexpr kernel_table<T> table{multiply<T>,   nullptr,       nullptr,    rms_scale_row<T>, centre_row<T>,
                                       divide_row<T>, affine_row<T>, add_row<T>, scale_row<T>,     activate_row<T>,
                                       rotate_row<T>, softmax_row<T>, dot_heads<T>};
template <>
inline constexpr kernel_table<float> table<float>{
    multiply<float>,   multiply_bf16,     round_row,      rms_scale_row<float>, centre_row<float>,
    divide_row<float>, affine_row<float>, add_row<float>, scale_row<float>,     activate_row<float>,
    rotate_row<float>, softmax_row<float>, dot_heads<float>};

}  // namespace plateau::backend::plain
