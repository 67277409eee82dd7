#pragma once
/// Operations of linear.hpp, and the kernels before and after their products.

#include <plateau/backend/cuda/activated.cuh>
#include <plateau/backend/cuda/bfloat16.cuh>
#include <plateau/backend/cuda/gather.cuh>
#include <plateau/backend/cuda/linear.hpp>

namespace plateau::backend::cuda {

/// Neighbours that one thread prepares: 16 bytes of bfloat16.
inline constexpr int prepared_together = static_cast<int>(column_step);
static_assert(pack<bfloat16>::size == prepared_together);

template <class T>
struct eight {
    T values[prepared_together];
};

/// Where prepared rows go: as they are, rounded, or in two parts.
template <class T>
struct copied {
    strided<T> to;
    __device__ __forceinline__ void put(index r, index i, eight<T> const& x) const {
#pragma unroll
        for (int p = 0; p < prepared_together; p += pack<T>::size) {
            pack<T> some;
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k) some.values[k] = x.values[p + k];
            store(some, to[r] + i + p, pack<T>::size, true);
        }
    }
};

template <class T>
struct rounded {
    strided<bfloat16> to;
    __device__ __forceinline__ void put(index r, index i, eight<T> const& x) const {
        pack<bfloat16> high;
#pragma unroll
        for (int k = 0; k < prepared_together; ++k) high.values[k] = to_bf16(static_cast<float>(x.values[k]));
        store(high, to[r] + i, prepared_together, true);
    }
};

template <class T>
struct halved {
    strided<bfloat16> high, low;
    __device__ __forceinline__ void put(index r, index i, eight<T> const& x) const {
        pack<bfloat16> first, second;
#pragma unroll
        for (int k = 0; k < prepared_together; ++k) {
            auto const parts = parts_of(static_cast<float>(x.values[k]));
            first.values[k] = parts.high;
            second.values[k] = parts.low;
        }
        store(first, high[r] + i, prepared_together, true);
        store(second, low[r] + i, prepared_together, true);
    }
};

/// `all_rows` rows of whole eights at `to`, zeros where x [rows, columns] has nothing.
template <class T, class To>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    prepare_kernel(strided<T const> x, index rows, index columns, bool aligned, To to, index all_rows) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= all_rows) return;
    bool const there = r < rows;
    T const* const from = x[there ? r : 0];
    index const i = (index{blockIdx.y} * warp_lanes + threadIdx.x) * prepared_together;
    if (i >= columns) return;
    index const count = there ? columns - i : 0;
    eight<T> values;
#pragma unroll
    for (int p = 0; p < prepared_together; p += pack<T>::size) {
        auto const some = load(from + i + p, count - p, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) values.values[p + k] = some.values[k];
    }
    to.put(r, i, values);
}

template <class T, class To>
void prepare(stream_handle stream, device_view<T const, 2> x, To to, index all_rows) {
    index const columns = x.extent(1);
    auto const from = rows_of(x);
    launch(&prepare_kernel<T, To>, grid_of(all_rows, columns, warp_lanes * prepared_together), warp_per_row, 0, stream,
           from, x.extent(0), columns, aligned(from), to, all_rows);
}

/// The rows of a product, or nothing, and the bias that they lack, or nothing.
template <class T>
struct unfinished {
    strided<T const> sum, bias;

    __device__ __forceinline__ pack<T> operator()(index r, index i, index count, bool aligned) const {
        auto values = load(sum[r] + i, count, aligned);
        if (bias.data == nullptr) return values;
        auto const added = load(bias.data + i, count, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) values.values[k] += added.values[k];
        return values;
    }
};

struct unchanged {
    template <class T>
    __device__ T operator()(T x) const {
        return x;
    }
};

/// y = held + act(own sum + bias) · (the factor's sum + bias), without what is not there.
template <class T, class F>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    finish_kernel(F f, index rows, index columns, bool aligned, unfinished<T> own, unfinished<T> factor,
                  strided<T const> held, strided<T> y) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    for_each_pack<T>(columns, [&](index i, index count) {
        auto results = own(r, i, count, aligned);
#pragma unroll
        for (T& value : results.values) value = f(value);
        if (factor.sum.data != nullptr) {
            auto const by = factor(r, i, count, aligned);
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k) results.values[k] *= by.values[k];
        }
        if (held.data != nullptr) {
            auto const before = load(held[r] + i, count, aligned);
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k) results.values[k] = before.values[k] + results.values[k];
        }
        store(results, y[r] + i, count, aligned);
    });
}

template <class T, class F>
void finish(stream_handle stream, F f, device_view<T, 2> y, unfinished<T> own, unfinished<T> factor,
            strided<T const> held) {
    auto const to = rows_of(y);
    bool const all_aligned = aligned(to) && aligned(own.sum, own.bias, factor.sum, factor.bias, held);
    launch(&finish_kernel<T, F>, grid_of(y.extent(0), y.extent(1), columns_per_warp<T>), warp_per_row, 0, stream, f,
           y.extent(0), y.extent(1), all_aligned, own, factor, held, to);
}

/// Rows of a weight in bfloat16, widened; rows of NaN where there is none.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    gather_widened_kernel(strided<bfloat16 const> table, index table_rows, index const* ids, index rows, index columns,
                          strided<T> out) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    index const id = ids[r];
    bool const known = id >= 0 && id < table_rows;
    for (index i = (index{blockIdx.y} * warp_lanes + threadIdx.x) * prepared_together; i < columns;
         i += index{gridDim.y} * warp_lanes * prepared_together) {
        auto const values =
            load(table[known ? id : 0] + i, prepared_together, true);  // rows of the table are whole eights
#pragma unroll
        for (int k = 0; k < prepared_together; ++k) {
            if (i + k < columns)
                out[r][i + k] = known ? static_cast<T>(widened(values.values[k])) : static_cast<T>(nanf(""));
        }
    }
}

/// The rows that the products of a context read for rows x [R, K]: x, or a copy in scratch memory, rounded, split or
/// padded.
template <class T>
class product_input {
public:
    product_input(cuda_context const& ctx, device_view<T const, 2> x, device_weight<T> const& weight)
        : blas_{ctx.blas()}, rows_{in_steps(x.extent(0), row_step)}, inputs_{in_steps(x.extent(1), column_step)} {
        if (weight.is_bf16()) {
            auto const to = scratch<bfloat16>(inputs_);
            prepare(ctx.stream(), x, rounded<T>{to}, rows_);
        } else if (weight.is_split()) {
            auto const to = scratch<bfloat16>(2 * inputs_);  // the low parts, then the high
            prepare(ctx.stream(), x, halved<T>{{to.data + inputs_, to.stride}, to}, rows_);
        } else if (x.extent(0) == rows_ && x.extent(1) == inputs_ && aligned(rows_of(x))) {
            from_ = {x.data(), x.stride(0)};
        } else {
            auto const to = scratch<T>(inputs_);
            prepare(ctx.stream(), x, copied<T>{to}, rows_);
        }
    }

    index rows() const { return rows_; }

    /// y [rows(), whole steps of `outputs`] = X Wᵀ, from output `first`.
    void multiply(cuda_context const& ctx, device_weight<T> const& weight, index first, index outputs,
                  strided<T> y) const {
        outputs = in_steps(outputs, column_step);
        auto const product = [&](product_kind kind, index inputs, matrix_rows x, auto const& w, bool add) {
            blas_.multiply(kind, rows_, outputs, inputs, x, {w.data() + first * w.stride(0), w.stride(0)}, y.data,
                           y.stride, add);
        };
        if (weight.is_bf16()) return product(product_kind::bf16, inputs_, from_, weight.rounded(), false);
        if (weight.is_split()) {
            // the small ones first: low · high + high · low, in one sum, for the weight has its high parts first
            auto const parts = weight.split();
            product(product_kind::bf16, 2 * inputs_, from_, parts, false);
            return product(product_kind::bf16, inputs_,
                           {static_cast<bfloat16 const*>(from_.data) + inputs_, from_.stride}, parts, true);
        }
        auto const kind = std::is_same_v<T, double>                ? product_kind::fp64
                          : ctx.products() == float_products::tf32 ? product_kind::tf32
                                                                   : product_kind::fp32;
        product(kind, inputs_, from_, weight.full(), false);
    }

private:
    template <class S>
    strided<S> scratch(index columns) {
        auto const bytes = static_cast<std::size_t>(rows_ * columns) * sizeof(S);
        strided<S> const rows{static_cast<S*>(blas_.scratch(blas::use::input, bytes)), columns};
        from_ = {rows.data, columns};
        return rows;
    }

    cuda::blas& blas_;
    index rows_;
    index inputs_;
    matrix_rows from_{};
};

/// Where a product of `outputs` outputs goes: to y, if its rows and columns are whole steps, or to scratch memory.
template <class T>
strided<T> product_output(cuda_context const& ctx, blas::use what, index outputs, device_view<T, 2> y, bool may_be_y) {
    index const rows = in_steps(y.extent(0), row_step), columns = in_steps(outputs, column_step);
    if (may_be_y && rows == y.extent(0) && columns == outputs && aligned(rows_of(y))) return rows_of(y);
    return {static_cast<T*>(ctx.blas().scratch(what, static_cast<std::size_t>(rows * columns) * sizeof(T))), columns};
}

template <class T>
strided<T const> constant(strided<T> x) {
    return {x.data, x.stride};
}

template <class T>
unfinished<T> finished_by(strided<T> sum, device_view<T const, 1> bias, index first = 0) {
    return {constant(sum), {bias.data() == nullptr ? nullptr : bias.data() + first, 0}};
}

/// @throws shape_error unless x [R, K], y [R, N] and the bias fit the layer
template <class T>
void require_fit(device_view<T const, 2> x, linear_parameters<cuda_context, T> const& layer, index outputs,
                 device_view<T, 2> y) {
    tensor::require_extents(x.extents(), {x.extent(0), layer.weight.inputs()}, "the input of a linear layer");
    tensor::require_extents(y.extents(), {x.extent(0), outputs}, "the output of a linear layer");
    if (layer.bias.data() != nullptr)
        tensor::require_extents<1>(layer.bias.extents(), {layer.weight.outputs()}, "the bias of a linear layer");
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void linear(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
            std::type_identity_t<linear_parameters<cuda_context, T>> const& layer,
            std::type_identity_t<device_view<T, 2>> y, accumulate sum) {
    cuda::require_fit<T>(x, layer, layer.weight.outputs(), y);
    if (y.size() == 0) return;
    cuda::product_input<T> const input{ctx, x, layer.weight};
    bool const add = sum == accumulate::yes;
    auto const to = cuda::product_output(ctx, cuda::blas::use::sum, y.extent(1), y, !add);
    input.multiply(ctx, layer.weight, 0, y.extent(1), to);
    if (to.data == y.data() && layer.bias.data() == nullptr) return;
    auto const held = add ? cuda::constant(cuda::rows_of(y)) : cuda::strided<T const>{};
    cuda::finish(ctx.stream(), cuda::unchanged{}, y, cuda::finished_by(to, layer.bias), {}, held);
}

template <DeviceElement T>
void linear_activate(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> x,
                     std::type_identity_t<linear_parameters<cuda_context, T>> const& layer,
                     std::type_identity_t<linear_parameters<cuda_context, T>> const* factor,
                     std::type_identity_t<device_view<T, 2>> y) {
    cuda::require_fit<T>(x, layer, layer.weight.outputs(), y);
    if (factor != nullptr) {
        auto const &weight = layer.weight, &other = factor->weight;
        tensor::require_extents<2>({other.outputs(), other.inputs()}, {weight.outputs(), weight.inputs()},
                                   "the factor of a gated layer");
        if (other.is_bf16() != weight.is_bf16())
            throw shape_error("both weights of a gated layer must be stored alike");
        cuda::require_fit<T>(x, *factor, other.outputs(), y);
    }
    if (y.size() == 0) return;
    cuda::product_input<T> const input{ctx, x, layer.weight};
    auto const to = cuda::product_output(ctx, cuda::blas::use::sum, y.extent(1), y, true);
    input.multiply(ctx, layer.weight, 0, y.extent(1), to);
    cuda::unfinished<T> by{};
    if (factor != nullptr) {
        auto const other = cuda::product_output(ctx, cuda::blas::use::factor, y.extent(1), y, false);
        input.multiply(ctx, factor->weight, 0, y.extent(1), other);
        by = cuda::finished_by(other, factor->bias);
    }
    auto const own = cuda::finished_by(to, layer.bias);
    switch (kind) {
        case activation::silu: return cuda::finish(ctx.stream(), cuda::act<activation::silu>{}, y, own, by, {});
        case activation::gelu: return cuda::finish(ctx.stream(), cuda::act<activation::gelu>{}, y, own, by, {});
        case activation::gelu_tanh:
            return cuda::finish(ctx.stream(), cuda::act<activation::gelu_tanh>{}, y, own, by, {});
        case activation::relu: return cuda::finish(ctx.stream(), cuda::act<activation::relu>{}, y, own, by, {});
    }
}

template <DeviceElement T>
void linear_outputs(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                    std::type_identity_t<linear_parameters<cuda_context, T>> const& layer, index first, index count,
                    std::type_identity_t<device_view<T, 2>> y) {
    if (first < 0 || count < 0 || first + count > layer.weight.outputs()) {
        throw shape_error("a layer of ", layer.weight.outputs(), " outputs has none from ", first, " to ",
                          first + count);
    }
    cuda::require_fit<T>(x, layer, count, y);
    if (y.size() == 0) return;
    cuda::product_input<T> const input{ctx, x, layer.weight};
    auto const to = cuda::product_output(ctx, cuda::blas::use::sum, count, y, true);
    input.multiply(ctx, layer.weight, first, count, to);
    if (to.data == y.data() && layer.bias.data() == nullptr) return;
    cuda::finish(ctx.stream(), cuda::unchanged{}, y, cuda::finished_by(to, layer.bias, first), {}, {});
}

template <DeviceElement T>
void gather_rows(cuda_context const& ctx, device_weight<T> const& weight, std::span<index const> ids,
                 std::type_identity_t<device_view<T, 2>> out) {
    index const rows = static_cast<index>(ids.size()), columns = weight.inputs();
    tensor::require_extents(out.extents(), {rows, columns}, "the output of gather_rows");
    if (out.size() == 0) return;
    auto* const which = static_cast<index*>(ctx.blas().scratch(cuda::blas::use::rows, ids.size_bytes()));
    cuda::upload(which, ids.data(), ids.size_bytes(), ctx.stream());
    auto const to = cuda::rows_of(out);
    if (weight.is_bf16()) {
        cuda::launch(&cuda::gather_widened_kernel<T>,
                     cuda::grid_of(rows, columns, cuda::warp_lanes * cuda::prepared_together), cuda::warp_per_row, 0,
                     ctx.stream(), cuda::rows_of(weight.rounded()), weight.outputs(), which, rows, columns, to);
        return;
    }
    auto const from = cuda::rows_of(weight.full());
    cuda::launch(&cuda::gather_kernel<T>, cuda::grid_of(rows, columns, cuda::columns_per_warp<T>), cuda::warp_per_row,
                 0, ctx.stream(), from, weight.outputs(), which, rows, columns,
                 cuda::aligned(from) && cuda::aligned(to), to);
}

template <DeviceElement T>
void split_to_bf16(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                   device_view<bfloat16, 2> high, device_view<bfloat16, 2> low) {
    tensor::require_extents(high.extents(), x.extents(), "the high part of a split");
    tensor::require_extents(low.extents(), x.extents(), "the low part of a split");
    cuda::prepare(ctx.stream(), x, cuda::halved<T>{cuda::rows_of(high), cuda::rows_of(low)}, x.extent(0));
}

}  // namespace plateau::backend
