#pragma once
/// Matrix products of the CPU backend: the one seam through which they all go.

#include <algorithm>
#include <span>
#include <type_traits>

#include <plateau/backend/cpu/linear_weight.hpp>
#include <plateau/backend/cpu/scratch.hpp>
#include <plateau/backend/linear_parameters.hpp>
#include <plateau/backend/rows.hpp>

namespace plateau::backend {

namespace detail {

/// Inputs of one sum, at most: it loses little to rounding.
inline constexpr index linear_depth = 256;

/// Rows whose inputs stay in the second-level cache beside a panel: whole tiles.
constexpr index rows_in_cache(index inputs) {
    constexpr index floats = index{5} << 16;  // 1.25 MiB of them
    return std::clamp(down_to_tiles(floats / inputs), row_tile, host_block_rows);
}

/// Outputs of panel p: 64, or fewer in the last.
template <class T>
index columns_of(linear_weight<T> const& weight, index p) {
    return std::min(panel_columns, weight.outputs() - p * panel_columns);
}

/// Rows of inputs as the kernels of a weight want them: as they are; for weights in bfloat16 rounded to it, as floats
/// or, where the processor multiplies pairs, as pairs; for products over tiles in parts.
template <class T>
class linear_input {
public:
    linear_input(kernel_table<T> const& kernels, tensor::view<T const, 2> x, linear_weight<T> const& weight)
        : kernels_{kernels}, x_{x.data(), x.stride(0)}, rows_{x.extent(0)} {
        if (!weight.in_parts()) return;
        if (kernels.multiply_parts != nullptr) {
            split(x, weight.is_bf16() ? 1 : weight.most_parts());
            return;
        }
        if (!weight.is_bf16()) throw usage_error("a weight in parts takes a context with products of parts");
        index const inputs = x.extent(1);
        pairs_ = kernels.multiply_pairs != nullptr;
        x_.stride = pairs_ ? (inputs + 1) / 2 : inputs;
        T* const rounded = scratch<T>(scratch_use::rounded_rows, rows_ * x_.stride);
        for (index r = 0; r < rows_; ++r) {
            T* const to = rounded + r * x_.stride;
            if (pairs_) kernels.round_row_to_pairs(x[r].data(), inputs, words_of(to));
            else kernels.round_row(x[r].data(), inputs, to);
        }
        x_.data = rounded;
    }

    index rows() const { return rows_; }

    /// c [rows, 64] = X · panel p of the weight, plus its bias. `then` is a weight whose panel `then_panel` comes next;
    /// it may have none of that number.
    void multiply(linear_parameters<cpu_context, T> const& layer, index p, strided<T> c, linear_weight<T> const& then,
                  index then_panel) const {
        auto const& weight = layer.weight;
        if (parts_.parts > 0) {
            kernels_.multiply_parts(parts_, weight.panel_parts(p), rows_, weight.inputs(), parts_.parts, c);
            return add_bias(layer, p, c);
        }
        for (index first = 0; first < weight.inputs(); first += linear_depth) {
            index const depth = std::min(linear_depth, weight.inputs() - first);
            bool const last = first + depth == weight.inputs();
            auto const next = [&](auto const* here, auto const* there) {
                return !last ? here : then_panel < then.panels() ? there : nullptr;
            };
            auto const start = first > 0 ? sum_start::added_after : sum_start::zero;
            if (!weight.is_bf16()) {
                T const* const b = weight.panel(p) + first * panel_columns;
                auto const* const after = next(b + depth * panel_columns, then.panel(then_panel));
                kernels_.multiply(columns_from(first), {b, panel_columns}, panel_columns, rows_, depth, c, start,
                                  after);
                continue;
            }
            std::uint32_t const* const b = weight.panel_pairs(p) + first / 2 * panel_columns;
            auto const* const after = next(b + depth / 2 * panel_columns, then.panel_pairs(then_panel));
            if (pairs_) {
                kernels_.multiply_pairs({words_of(x_.data) + first / 2, x_.stride}, b, rows_, depth, c, start, after);
            } else {
                T* const panel = scratch<T>(scratch_use::weight_panel, linear_depth * panel_columns);
                kernels_.widen_pairs(b, (depth + 1) / 2, panel);
                kernels_.multiply(columns_from(first), {panel, panel_columns}, panel_columns, rows_, depth, c, start,
                                  reinterpret_cast<T const*>(after));
            }
        }
        add_bias(layer, p, c);
    }

private:
    void split(tensor::view<T const, 2> x, int parts) {
        constexpr index line = 16;  // words; an odd number of them keeps rows apart in the first-level cache
        index const stride = ((x.extent(1) + 1) / 2 + line - 1) / line * line | line;
        auto* const words = scratch<std::uint32_t>(scratch_use::rounded_rows, parts * rows_ * stride);
        parts_ = {words, stride, rows_ * stride, parts};
        for (index r = 0; r < rows_; ++r)
            kernels_.split_row(x[r].data(), x.extent(1), parts, words + r * stride, parts_.step);
    }

    void add_bias(linear_parameters<cpu_context, T> const& layer, index p, strided<T> c) const {
        if (layer.bias.data() == nullptr) return;
        kernels_.add_rows({layer.bias.data() + p * panel_columns, 0}, rows(), columns_of(layer.weight, p), c);
    }

    strided<T const> columns_from(index first) const { return {x_.data + first, x_.stride}; }
    static std::uint32_t* words_of(T* at) { return reinterpret_cast<std::uint32_t*>(at); }
    static std::uint32_t const* words_of(T const* at) { return reinterpret_cast<std::uint32_t const*>(at); }

    kernel_table<T> const& kernels_;
    strided<T const> x_;
    index rows_;
    bool pairs_ = false;
    part_rows parts_;
};

/// Calls f(first row, input) for as many rows at a time as stay in cache.
template <class T, class F>
void for_each_input(kernel_table<T> const& kernels, tensor::view<T const, 2> x, linear_weight<T> const& weight, F&& f) {
    index const together = rows_in_cache(weight.inputs());
    for (index row = 0; row < x.extent(0); row += together) {
        f(row, linear_input<T>{kernels, x.rows(row, std::min(together, x.extent(0) - row)), weight});
    }
}

}  // namespace detail

/// Y = X Wᵀ + b, or Y += X Wᵀ + b. Sums of 256 products each, in the order of the inputs, are added up in that order
/// (over tiles, sums of 32 as the processor forms them); then comes the bias, then what y held.
/// @param x  [R, K]      @param layer  [N, K] and [N]      @param y  [R, N], not overlapping x
/// @post a row of y depends on its row of x (and y) alone, bit for bit: not on R, not on its place
/// @throws shape_error on extents that do not fit
template <class T>
void linear(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
            std::type_identity_t<linear_parameters<cpu_context, T>> const& layer,
            std::type_identity_t<tensor::view<T, 2>> y, accumulate sum = accumulate::no) {
    auto const& weight = layer.weight;
    tensor::require_extents(x.extents(), {x.extent(0), weight.inputs()}, "the input of a linear layer");
    tensor::require_extents(y.extents(), {x.extent(0), weight.outputs()}, "the output of a linear layer");
    auto const& kernels = ctx.kernels<T>();
    detail::for_each_input(kernels, x, weight, [&](index row, detail::linear_input<T> const& input) {
        T* const products = detail::scratch<T>(detail::scratch_use::products, input.rows() * panel_columns);
        for (index p = 0; p < weight.panels(); ++p) {
            strided<T> const out{y[row].data() + p * panel_columns, y.stride(0)};
            index const columns = detail::columns_of(weight, p);
            if (columns == panel_columns && sum == accumulate::no) {
                input.multiply(layer, p, out, weight, p + 1);
                continue;
            }
            input.multiply(layer, p, {products, panel_columns}, weight, p + 1);
            if (sum == accumulate::yes) {
                kernels.add_rows({products, panel_columns}, input.rows(), columns, out);
            } else {
                for (index r = 0; r < input.rows(); ++r) std::copy_n(products + r * panel_columns, columns, out[r]);
            }
        }
    });
}

/// Y = act(X Wᵀ + b), or act(X Wᵀ + b) · (X Uᵀ + c) with a factor: the bits of `linear` and `activate`, and none of
/// their intermediate results leaves the cache.
/// @param x  [R, K]      @param layer  [N, K] and [N]      @param factor  the same, or null      @param y  [R, N]
/// @throws shape_error on extents that do not fit
template <class T>
void linear_activate(cpu_context const& ctx, activation kind, std::type_identity_t<tensor::view<T const, 2>> x,
                     std::type_identity_t<linear_parameters<cpu_context, T>> const& layer,
                     std::type_identity_t<linear_parameters<cpu_context, T>> const* factor,
                     std::type_identity_t<tensor::view<T, 2>> y) {
    auto const& weight = layer.weight;
    auto const& other = factor == nullptr ? weight : factor->weight;
    tensor::require_extents(x.extents(), {x.extent(0), weight.inputs()}, "the input of a linear layer");
    tensor::require_extents(y.extents(), {x.extent(0), weight.outputs()}, "the output of a linear layer");
    tensor::require_extents<2>({other.outputs(), other.inputs()}, {weight.outputs(), weight.inputs()},
                               "the factor of a gated layer");
    if (other.is_bf16() != weight.is_bf16() || other.most_parts() != weight.most_parts())
        throw shape_error("both weights of a gated layer must be stored alike");
    auto const& kernels = ctx.kernels<T>();
    detail::for_each_input(kernels, x, weight, [&](index row, detail::linear_input<T> const& input) {
        strided<T> const left{detail::scratch<T>(detail::scratch_use::products, input.rows() * panel_columns),
                              panel_columns};
        strided<T> const right{factor == nullptr
                                   ? nullptr
                                   : detail::scratch<T>(detail::scratch_use::factors, input.rows() * panel_columns),
                               panel_columns};
        for (index p = 0; p < weight.panels(); ++p) {
            input.multiply(layer, p, left, other, factor == nullptr ? p + 1 : p);
            if (factor != nullptr) input.multiply(*factor, p, right, weight, p + 1);
            kernels.activate_rows(kind, {left.data, left.stride}, {right.data, right.stride}, input.rows(),
                                  detail::columns_of(weight, p), {y[row].data() + p * panel_columns, y.stride(0)});
        }
    });
}

/// out_r = row ids[r] of the weight, as `linear` sees it: the embedding of tokens.
/// @param ids  [R], each in [0, N)      @param out  [R, K]      @throws shape_error on another shape of out
template <class T>
void gather_rows(cpu_context const&, linear_weight<T> const& weight, std::span<index const> ids,
                 tensor::view<T, 2> out) {
    tensor::require_extents(out.extents(), {static_cast<index>(ids.size()), weight.inputs()},
                            "the output of gather_rows");
    for (std::size_t r = 0; r < ids.size(); ++r) {
        T* const to = out[static_cast<index>(r)].data();
        for (index k = 0; k < weight.inputs(); ++k) to[k] = weight(ids[r], k);
    }
}

}  // namespace plateau::backend
