#pragma once
/// The one seam through which every matrix product of the CPU backend goes.

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>

#include <Eigen/Core>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/rows.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend {

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
        : bf16_{std::move(weight)} {}

    index outputs() const { return is_bf16() ? bf16_.extent(0) : full_.extent(0); }
    index inputs() const { return is_bf16() ? bf16_.extent(1) : full_.extent(1); }
    bool is_bf16() const { return bf16_.size() > 0; }
    tensor::view<T const, 2> full() const { return full_; }
    tensor::view<bfloat16 const, 2> bf16() const { return bf16_; }

private:
    tensor::buffer<T, 2> full_;
    tensor::buffer<bfloat16, 2> bf16_;
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

/// A matrix whose rows are whole groups: x itself if it has them, or else a copy padded with zeros.
template <class T, class Round>
tensor::view<T const, 2> whole_groups(tensor::view<T const, 2> x, tensor::buffer<T, 2>& copy, bool always, Round&& round) {
    if (!always && x.extent(0) % row_group == 0) return x;
    copy = tensor::buffer<T, 2>({padded_rows(x.extent(0)), x.extent(1)});
    for (index r = 0; r < x.extent(0); ++r) std::transform(x[r].data(), x[r].data() + x.extent(1), copy[r].data(), round);
    return copy;
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
    bool const narrow = weight.is_bf16();
    tensor::buffer<T, 2> x_copy, y_copy, widened;
    auto const round = [narrow](T value) {
        return narrow ? static_cast<T>(static_cast<float>(bfloat16{static_cast<float>(value)})) : value;
    };
    auto const from = detail::whole_groups(x, x_copy, narrow, round);
    tensor::view<T, 2> to = y;
    if (rows % row_group != 0) {
        y_copy = tensor::buffer<T, 2>({padded_rows(rows), outputs});
        to = y_copy;
    }
    // a bfloat16 weight is widened panel by panel: the panel stays in cache for all rows
    index const panel = narrow ? std::min<index>(256, outputs) : outputs;
    if (narrow) widened = tensor::buffer<T, 2>({panel, inputs});
    for (index first = 0; first < outputs; first += panel) {
        index const count = std::min(panel, outputs - first);
        T const* w = nullptr;
        if (narrow) {
            bfloat16 const* const stored = weight.bf16()[first].data();
            std::transform(stored, stored + count * inputs, widened.data(), [](bfloat16 b) { return static_cast<T>(static_cast<float>(b)); });
            w = widened.data();
        } else {
            w = weight.full().data();
        }
        for (index r = 0; r < from.extent(0); r += row_group) {
            detail::multiply_group(from[r].data(), from.stride(0), w, count, inputs, to[r].data() + first, to.stride(0));
        }
    }
    if (rows % row_group != 0) {
        for (index r = 0; r < rows; ++r) std::copy_n(y_copy[r].data(), outputs, y[r].data());
    }
}

/// out_r = row ids[r] of the weight, as `linear` sees it: the embedding of tokens.
/// @param ids  [R], each in [0, N)      @param out  [R, K]      @throws shape_error on another shape of out
template <class T>
void gather_rows(cpu_context const&, linear_weight<T> const& weight, std::span<index const> ids,
                 tensor::view<T, 2> out) {
    tensor::require_extents(out.extents(), {static_cast<index>(ids.size()), weight.inputs()}, "the output of gather_rows");
    for (std::size_t r = 0; r < ids.size(); ++r) {
        T* const to = out[static_cast<index>(r)].data();
        if (weight.is_bf16()) {
            bfloat16 const* const from = weight.bf16()[ids[r]].data();
            for (index k = 0; k < weight.inputs(); ++k) to[k] = static_cast<T>(static_cast<float>(from[k]));
        } else {
            std::copy_n(weight.full()[ids[r]].data(), weight.inputs(), to);
        }
    }
}

}  // namespace plateau::backend
