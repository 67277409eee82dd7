#pragma once
/// The one seam through which every matrix product of the CPU backend goes.

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>

#include <Eigen/Core>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend {

/// Rows of activations are multiplied in groups of this many, always: Eigen takes other routes, with other bits, for
/// other row counts, and a row's bits must not depend on how many rows there are. Callers that hold whole groups
/// (a multiple of this many rows) save a copy. A multiple of Eigen's register block of columns.
inline constexpr index row_group = 64;

/// Rounds a row count up to whole groups.
constexpr index padded_rows(index rows) { return (rows + row_group - 1) / row_group * row_group; }

/// The weight of a linear layer, [N, K] = outputs x inputs, in the form that `linear` wants. Stored in T, or in bfloat16
/// where T is float: then inputs are rounded to bfloat16 too, products and sums are float.
template <class T>
class linear_weight {
public:
    linear_weight() = default;

    /// @param weight  [N, K] dense, taken over
    explicit linear_weight(tensor::buffer<T, 2> weight) : full_{std::move(weight)} {}
    explicit linear_weight(tensor::buffer<bfloat16, 2> weight)
        requires std::is_same_v<T, float>
        : half_{std::move(weight)} {}

    index outputs() const { return is_half() ? half_.extent(0) : full_.extent(0); }
    index inputs() const { return is_half() ? half_.extent(1) : full_.extent(1); }
    bool is_half() const { return half_.size() > 0; }
    tensor::view<T const, 2> full() const { return full_; }
    tensor::view<bfloat16 const, 2> half() const { return half_; }

private:
    tensor::buffer<T, 2> full_;
    tensor::buffer<bfloat16, 2> half_;
};

namespace detail {

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// y [row_group, N] = x [row_group, K] · wᵀ
template <class T>
[[gnu::noinline]] void multiply_group(T const* x, index x_stride, T const* weight, index outputs, index inputs, T* y,
                                      index y_stride) {
    using stride = Eigen::OuterStride<>;
    Eigen::Map<row_major<T> const, 0, stride> const rows(x, row_group, inputs, stride{x_stride});
    Eigen::Map<row_major<T> const> const w(weight, outputs, inputs);
    Eigen::Map<row_major<T>, 0, stride> out(y, row_group, outputs, stride{y_stride});
    out.noalias() = rows * w.transpose();
}

inline float round_to_half(float value) { return static_cast<float>(bfloat16{value}); }

/// The same with a weight stored in bfloat16, widened in panels of outputs.
template <class T>
void multiply_group_half(T const* x, index x_stride, tensor::view<bfloat16 const, 2> weight, T* y, index y_stride) {
    constexpr index panel = 256;
    index const outputs = weight.extent(0), inputs = weight.extent(1);
    tensor::buffer<T, 2> rounded({row_group, inputs}), widened({std::min(panel, outputs), inputs});
    for (index r = 0; r < row_group; ++r) {
        for (index k = 0; k < inputs; ++k) rounded(r, k) = round_to_half(static_cast<float>(x[r * x_stride + k]));
    }
    for (index first = 0; first < outputs; first += panel) {
        index const count = std::min(panel, outputs - first);
        bfloat16 const* source = weight[first].data();
        for (index i = 0; i < count * inputs; ++i) widened.data()[i] = static_cast<float>(source[i]);
        multiply_group(rounded.data(), inputs, widened.data(), count, inputs, y + first, y_stride);
    }
}

}  // namespace detail

/// Y = X · Wᵀ.
/// @param x  [R, K]      @param weight  [N, K]      @param y  [R, N], not overlapping x
/// @post a row of y depends on its row of x alone, bit for bit: not on R, not on its place
/// @throws shape_error on extents that do not fit
template <class T>
void linear(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x, linear_weight<T> const& weight,
            std::type_identity_t<tensor::view<T, 2>> y) {
    index const rows = x.extent(0), outputs = weight.outputs(), inputs = weight.inputs();
    tensor::require_extents(x.extents(), {rows, inputs}, "the input of a linear layer");
    tensor::require_extents(y.extents(), {rows, outputs}, "the output of a linear layer");
    auto const multiply = [&](T const* from, index from_stride, T* to, index to_stride) {
        if constexpr (std::is_same_v<T, float>) {
            if (weight.is_half()) return detail::multiply_group_half(from, from_stride, weight.half(), to, to_stride);
        }
        detail::multiply_group(from, from_stride, weight.full().data(), outputs, inputs, to, to_stride);
    };
    index first = 0;
    for (; first + row_group <= rows; first += row_group) {
        multiply(x.data() + first * x.stride(0), x.stride(0), y.data() + first * y.stride(0), y.stride(0));
    }
    if (first == rows) return;
    tensor::buffer<T, 2> padded_x({row_group, inputs}), padded_y({row_group, outputs});
    for (index r = first; r < rows; ++r) std::copy_n(x[r].data(), inputs, padded_x[r - first].data());
    multiply(padded_x.data(), inputs, padded_y.data(), outputs);
    for (index r = first; r < rows; ++r) std::copy_n(padded_y[r - first].data(), outputs, y[r].data());
}

/// out_r = row ids[r] of the weight, as `linear` sees it: the embedding of tokens.
/// @param ids  [R], each in [0, N)      @param out  [R, K]      @throws shape_error on another shape of out
template <class T>
void gather_rows(cpu_context const&, linear_weight<T> const& weight, std::span<index const> ids,
                 tensor::view<T, 2> out) {
    tensor::require_extents(out.extents(), {static_cast<index>(ids.size()), weight.inputs()}, "the output of gather_rows");
    for (std::size_t r = 0; r < ids.size(); ++r) {
        T* const to = out[static_cast<index>(r)].data();
        if (weight.is_half()) {
            bfloat16 const* const from = weight.half()[ids[r]].data();
            for (index k = 0; k < weight.inputs(); ++k) to[k] = static_cast<T>(static_cast<float>(from[k]));
        } else {
            std::copy_n(weight.full()[ids[r]].data(), weight.inputs(), to);
        }
    }
}

}  // namespace plateau::backend
