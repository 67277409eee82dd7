#pragma once
/// Kernels of rows.hpp: a warp per row.

#include <plateau/backend/cuda/gather.cuh>
#include <plateau/backend/cuda/rows.hpp>

namespace plateau::backend::cuda {

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    linear_points_kernel(strided<T const> a, strided<T const> b, index const* pairs, double const* alphas, index rows,
                         index columns, bool aligned, strided<T> out) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    index const p = pairs[r];
    double const alpha = alphas[r];
    for_each_pack<T>(columns, [&](index i, index count) {
        auto point = load(a[p] + i, count, aligned);
        auto const end = load(b[p] + i, count, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            T const from = point.values[k], to = end.values[k];
            // not fused, so that the point has the bits that the host gives it
            double const between =
                __dadd_rn(__dmul_rn(1 - alpha, static_cast<double>(from)), __dmul_rn(alpha, static_cast<double>(to)));
            point.values[k] = alpha == 0 ? from : alpha == 1 ? to : static_cast<T>(between);
        }
        store(point, out[r] + i, count, aligned);
    });
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    row_distances_kernel(strided<T const> x, strided<T const> y, index const* references, index rows, index columns,
                         bool aligned, double* distances) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    T const *const from = y[references[r]], *const to = x[r];
    double sum = 0;
    for (index i = threadIdx.x * pack<T>::size; i < columns; i += warp_lanes * pack<T>::size) {
        auto const p = load(to + i, columns - i, aligned), q = load(from + i, columns - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            double const difference = static_cast<double>(p.values[k]) - static_cast<double>(q.values[k]);
            sum += difference * difference;
        }
    }
    sum = warp_sum(sum);
    if (threadIdx.x == 0) distances[r] = sqrt(sum);
}

/// What becomes of x by its value v, where it is not just that. @param along  x·v / v·v of the whole part, if that is
/// projected out
template <class T>
__device__ __forceinline__ T edited(edit_kind kind, T x, T v, double along) {
    switch (kind) {
        case edit_kind::add: return x + v;
        case edit_kind::scale: return v * x;
        default: return static_cast<T>(static_cast<double>(x) - along * static_cast<double>(v));
    }
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    edit_kernel(T const* values, row_edit const* edits, index count, strided<T> x) {
    index const e = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (e >= count) return;
    row_edit const edit = edits[e];
    T const* const v = values + edit.values;
    T* const part = x[edit.row] + edit.column;
    bool const aligned = (reinterpret_cast<std::uintptr_t>(v) | reinterpret_cast<std::uintptr_t>(part)) % 16 == 0;
    auto const each = [&](auto const& f) {
        for (index i = threadIdx.x * pack<T>::size; i < edit.width; i += warp_lanes * pack<T>::size)
            f(i, edit.width - i);
    };
    double along = 0;
    if (edit.kind == edit_kind::project_out) {
        double square = 0;
        each([&](index i, index left) {
            auto const p = load(part + i, left, aligned), q = load(v + i, left, aligned);
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k) {
                along += static_cast<double>(p.values[k]) * static_cast<double>(q.values[k]);
                square += static_cast<double>(q.values[k]) * static_cast<double>(q.values[k]);
            }
        });
        along = warp_sum(along) / warp_sum(square);
    }
    each([&](index i, index left) {
        pack<T> by;
        if (edit.kind == edit_kind::scale) {
#pragma unroll
            for (T& value : by.values) value = v[0];
        } else {
            by = load(v + i, left, aligned);
        }
        if (edit.kind != edit_kind::replace) {
            auto const before = load(part + i, left, aligned);
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k)
                by.values[k] = edited(edit.kind, before.values[k], by.values[k], along);
        }
        store(by, part + i, left, aligned);
    });
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void gather_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> table,
                 device_view<index const, 1> ids, device_view<T, 2> out) {
    index const rows = ids.extent(0), columns = table.extent(1);
    tensor::require_extents(out.extents(), {rows, columns}, "the output of gather_rows");
    auto const from = cuda::rows_of(table);
    auto const to = cuda::rows_of(out);
    cuda::launch(&cuda::gather_kernel<T>, cuda::grid_of(rows, columns, cuda::columns_per_warp<T>), cuda::warp_per_row,
                 0, ctx.stream(), from, table.extent(0), ids.data(), rows, columns,
                 cuda::aligned(from) && cuda::aligned(to), to);
}

template <DeviceElement T>
void linear_points(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> a,
                   std::type_identity_t<device_view<T const, 2>> b, device_view<index const, 1> pairs,
                   device_view<double const, 1> alphas, device_view<T, 2> out) {
    index const rows = out.extent(0), columns = out.extent(1);
    tensor::require_extents(a.extents(), {a.extent(0), columns}, "the starts of linear paths");
    tensor::require_extents(b.extents(), a.extents(), "the ends of linear paths");
    tensor::require_extents<1>(pairs.extents(), {rows}, "the pairs of points");
    tensor::require_extents<1>(alphas.extents(), {rows}, "the fractions of points");
    auto const from = cuda::rows_of(a), end = cuda::rows_of(b);
    auto const to = cuda::rows_of(out);
    cuda::launch(&cuda::linear_points_kernel<T>, cuda::grid_of(rows, columns, cuda::columns_per_warp<T>),
                 cuda::warp_per_row, 0, ctx.stream(), from, end, pairs.data(), alphas.data(), rows, columns,
                 cuda::aligned(from, end) && cuda::aligned(to), to);
}

template <DeviceElement T>
void row_distances(cuda_context const& ctx, device_view<T const, 2> x, std::type_identity_t<device_view<T const, 2>> y,
                   device_view<index const, 1> references, device_view<double, 1> distances) {
    index const rows = x.extent(0), columns = x.extent(1);
    tensor::require_extents(y.extents(), {y.extent(0), columns}, "the references of distances");
    tensor::require_extents<1>(references.extents(), {rows}, "which row is the reference");
    tensor::require_extents<1>(distances.extents(), {rows}, "the distances of rows");
    auto const of = cuda::rows_of(x), from = cuda::rows_of(y);
    cuda::launch(&cuda::row_distances_kernel<T>, dim3{cuda::parts(rows, cuda::rows_per_block)}, cuda::warp_per_row, 0,
                 ctx.stream(), of, from, references.data(), rows, columns, cuda::aligned(of, from), distances.data());
}

template <DeviceElement T>
void edit_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 1>> values,
               device_view<row_edit const, 1> edits, device_view<T, 2> x) {
    index const count = edits.extent(0);
    cuda::launch(&cuda::edit_kernel<T>, dim3{cuda::parts(count, cuda::rows_per_block)}, cuda::warp_per_row, 0,
                 ctx.stream(), values.data(), edits.data(), count, cuda::rows_of(x));
}

}  // namespace plateau::backend
