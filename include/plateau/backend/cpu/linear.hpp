#pragma once
/// The one seam through which every matrix product of the CPU backend goes.

#include <algorithm>
#include <span>
#include <type_traits>

#include <plateau/backend/cpu/linear_weight.hpp>
#include <plateau/backend/cpu/scratch.hpp>

namespace plateau::backend {

namespace detail {

/// Rows and inputs that are worked on together, so that they stay in the second-level cache: whole tiles of rows, and so
/// few inputs that their sum loses little to rounding.
inline constexpr index linear_rows = 252, linear_depth = 256;

}  // namespace detail

/// Y = X · Wᵀ. Sums of 256 products each, in the order of the inputs, are added up in that order.
/// @param x  [R, K]      @param weight  [N, K]      @param y  [R, N], not overlapping x
/// @post a row of y depends on its row of x alone, bit for bit: not on R, not on its place
/// @throws shape_error on extents that do not fit
template <class T>
void linear(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x, linear_weight<T> const& weight,
            std::type_identity_t<tensor::view<T, 2>> y) {
    index const outputs = weight.outputs(), inputs = weight.inputs();
    tensor::require_extents(x.extents(), {x.extent(0), inputs}, "the input of a linear layer");
    tensor::require_extents(y.extents(), {x.extent(0), outputs}, "the output of a linear layer");
    using detail::linear_depth, detail::linear_rows;
    auto const& kernels = ctx.kernels<T>();
    index const whole = outputs / panel_columns;
    std::uint32_t* const narrow = weight.is_bf16() ? detail::scratch<std::uint32_t>(linear_rows * linear_depth) : nullptr;
    T* const edge = detail::scratch<T, 7>(linear_rows * panel_columns);  // of a last panel that is not full
    for (index row = 0; row < x.extent(0); row += linear_rows) {
        index const rows = std::min(linear_rows, x.extent(0) - row);
        for (index first = 0; first < inputs; first += linear_depth) {
            index const depth = std::min(linear_depth, inputs - first);
            T const* const from = x[row].data() + first;
            auto const start = first > 0 ? sum_start::apart : sum_start::zero;
            for (index r = 0; narrow != nullptr && r < rows; ++r) {
                kernels.round_row(from + r * x.stride(0), depth, narrow + r * linear_depth);
            }
            for (index p = 0; p < weight.panels(); ++p) {
                T* const to = p < whole ? y[row].data() + p * panel_columns : edge;
                index const stride = p < whole ? y.stride(0) : panel_columns;
                bool const more = p + 1 < weight.panels();
                if (narrow == nullptr) {
                    index const offset = first * panel_columns;
                    kernels.multiply(from, x.stride(0), weight.panel(p) + offset, panel_columns, rows, depth, to, stride,
                                     start, more ? weight.panel(p + 1) + offset : nullptr);
                } else {
                    index const offset = first / 2 * panel_columns;
                    kernels.multiply_bf16(narrow, linear_depth, weight.panel_pairs(p) + offset, rows, depth, to, stride,
                                          start, more ? weight.panel_pairs(p + 1) + offset : nullptr);
                }
            }
        }
        for (index r = 0; whole < weight.panels() && r < rows; ++r) {
            std::copy_n(edge + r * panel_columns, outputs - whole * panel_columns, y[row + r].data() + whole * panel_columns);
        }
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
        for (index k = 0; k < weight.inputs(); ++k) to[k] = weight(ids[r], k);
    }
}

}  // namespace plateau::backend
