#pragma once
/// The kernels in plain C++, for any type of element and any processor: what double computes with, and what the
/// others are tested against.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include <plateau/backend/cpu/kernels/table.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend::plain {

/// What one register holds, whatever the processor and the flags.
template <class T>
struct vector {
    typedef T type __attribute__((vector_size(__BIGGEST_ALIGNMENT__)));
    static constexpr int lanes = __BIGGEST_ALIGNMENT__ / sizeof(T);

    static type load(T const* at) {
        type v;
        std::memcpy(&v, at, sizeof v);
        return v;
    }
};

/// Rows × columns of a product, two vectors of columns at a time.
template <int Rows, class T>
void multiply_rows(strided<T const> a, strided<T const> b, index columns, index depth, strided<T> c, sum_start start) {
    using vec = vector<T>;
    for (index j = 0; j < columns; j += 2 * vec::lanes) {
        typename vec::type sums[Rows][2] = {};
        for (int r = 0; r < Rows && start == sum_start::continued; ++r) {
            for (int v = 0; v < 2; ++v) sums[r][v] = vec::load(c[r] + j + v * vec::lanes);
        }
        for (index k = 0; k < depth; ++k) {
            auto const low = vec::load(b[k] + j), high = vec::load(b[k] + j + vec::lanes);
            for (int r = 0; r < Rows; ++r) {
                sums[r][0] += a[r][k] * low;
                sums[r][1] += a[r][k] * high;
            }
        }
        for (int r = 0; r < Rows; ++r) {
            for (int v = 0; v < 2; ++v) {
                T* const to = c[r] + j + v * vec::lanes;
                if (start == sum_start::added_after) sums[r][v] += vec::load(to);
                std::memcpy(to, &sums[r][v], sizeof sums[r][v]);
            }
        }
    }
}

template <class T>
void multiply(strided<T const> a, strided<T const> b, index columns, index rows, index depth, strided<T> c,
              sum_start start, T const*) {
    for (; rows >= 4; rows -= 4, a.data += 4 * a.stride, c.data += 4 * c.stride)
        multiply_rows<4>(a, b, columns, depth, c, start);
    for (; rows > 0; --rows, a.data += a.stride, c.data += c.stride) multiply_rows<1>(a, b, columns, depth, c, start);
}

inline void round_row(float const* x, index count, float* out) {
    for (index k = 0; k < count; ++k) out[k] = static_cast<float>(bfloat16{x[k]});
}

inline void widen_pairs(std::uint32_t const* words, index pairs, float* out) {
    for (index k = 0; k < pairs; ++k, words += panel_columns, out += 2 * panel_columns) {
        for (index j = 0; j < panel_columns; ++j) {
            out[j] = std::bit_cast<float>(words[j] << 16);
            out[panel_columns + j] = std::bit_cast<float>(words[j] & 0xFFFF0000u);
        }
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
void norm_row(norm_kind kind, T const* x, index n, double epsilon, T const* weight, T const* bias, T* out) {
    if (kind == norm_kind::layer) divide_row(out, n, centre_row(x, n, epsilon, out), out);
    else divide_row(x, n, rms_scale_row(x, n, epsilon), out);
    affine_row(out, n, weight, bias, out);
}

template <class T>
bool finite_row(T const* x, index n) {
    T zero = 0;  // it stays so unless an element is infinite or NaN
    for (index i = 0; i < n; ++i) zero += x[i] * T{0};
    return zero == T{0};
}

template <class T>
void add_rows(strided<T const> x, index rows, index n, strided<T> y) {
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < n; ++i) y[r][i] += x[r][i];
    }
}

template <class T>
void scale_row(T* x, index n, T factor) {
    for (index i = 0; i < n; ++i) x[i] *= factor;
}

template <class T>
void cap_row(T* x, index n, T bound) {
    for (index i = 0; i < n; ++i) x[i] = bound * std::tanh(x[i] / bound);
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
void activate_rows_of(strided<T const> x, strided<T const> up, index rows, index n, strided<T> out) {
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < n; ++i) out[r][i] = activated<Kind>(x[r][i]) * (up.data == nullptr ? T{1} : up[r][i]);
    }
}

template <class T>
void activate_rows(activation kind, strided<T const> x, strided<T const> up, index rows, index n, strided<T> out) {
    switch (kind) {
        case activation::silu: return activate_rows_of<activation::silu>(x, up, rows, n, out);
        case activation::gelu: return activate_rows_of<activation::gelu>(x, up, rows, n, out);
        case activation::gelu_tanh: return activate_rows_of<activation::gelu_tanh>(x, up, rows, n, out);
        case activation::relu: return activate_rows_of<activation::relu>(x, up, rows, n, out);
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
T largest(T const* x, index n) {
    T top = -std::numeric_limits<T>::infinity();
    for (index i = 0; i < n; ++i) top = std::max(top, x[i]);
    return top;
}

template <class T>
double exp_row(T const* x, index n, T shift, T* out) {
    double sum = 0;
    for (index i = 0; i < n; ++i) sum += static_cast<double>(out[i] = std::exp(x[i] - shift));
    return sum;
}

template <class T>
void softmax_row(T* row, index count) {
    double const sum = exp_row(row, count, largest(row, count), row);
    scale_row(row, count, T{1} / static_cast<T>(sum));
}

template <class T>
double weighted_difference(T const* w, T const* x, T const* y, index n) {
    double sum = 0;
    for (index i = 0; i < n; ++i)
        sum += static_cast<double>(w[i]) * (static_cast<double>(x[i]) - static_cast<double>(y[i]));
    return sum;
}

template <class T>
void add_weighted_rows(strided<T const> weights, strided<T const> x, index rows, index n, strided<T> y) {
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < n; ++i) y[r][i] += weights[r][0] * x[r][i];
    }
}

template <class T>
void dot_heads(T const* q, T const* k, index heads, index group, index width, T* out) {
    for (index h = 0; h < heads; ++h) {
        T sum = 0;
        for (index e = 0; e < width; ++e) sum += q[h * width + e] * k[h / group * width + e];
        out[h] = sum;
    }
}

/// What is about bfloat16 is float's alone.
template <class T, auto Round, auto Widen>
inline constexpr kernel_table<T> table_with{
    multiply<T>,          nullptr,        nullptr,       Round,         Widen,
    rms_scale_row<T>,     centre_row<T>,  divide_row<T>, affine_row<T>, norm_row<T>,
    finite_row<T>,        scale_row<T>,   cap_row<T>,    add_rows<T>,   activate_rows<T>,
    rotate_row<T>,        softmax_row<T>, largest<T>,    exp_row<T>,    weighted_difference<T>,
    add_weighted_rows<T>, dot_heads<T>};

template <class T>
inline constexpr kernel_table<T> const& table = table_with<T, nullptr, nullptr>;
template <>
inline constexpr kernel_table<float> const& table<float> = table_with<float, round_row, widen_pairs>;

}  // namespace plateau::backend::plain
