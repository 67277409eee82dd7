#pragma once
/// One kernel for all that is done element by element.

#include <plateau/backend/cuda/launch.cuh>
#include <plateau/backend/cuda/packs.cuh>
#include <plateau/backend/cuda/reduce.cuh>

namespace plateau::backend::cuda {

inline constexpr int rows_per_block = 4;    ///< a warp each
inline constexpr index packs_per_lane = 8;  ///< of 16 bytes, that a warp's lane passes over
inline constexpr dim3 warp_per_row{warp_lanes, rows_per_block};

template <class T>
inline constexpr index columns_per_warp = warp_lanes* packs_per_lane* pack<T>::size;

/// Calls f(first column, count) for the packs of this lane: of row blockIdx.x · 4 + threadIdx.y, columns from
/// blockIdx.y · columns_per_warp.
template <class T, class F>
__device__ __forceinline__ void for_each_pack(index columns, F const& f) {
    index const first = blockIdx.y * columns_per_warp<T>;
    index const end = first + columns_per_warp<T> < columns ? first + columns_per_warp<T> : columns;
    for (index i = first + threadIdx.x * pack<T>::size; i < end; i += warp_lanes * pack<T>::size) f(i, end - i);
}

/// out = f(inputs...), element by element. @param aligned  all rows start at multiples of 16 bytes
template <class T, class F, class... Inputs>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    map_rows_kernel(F f, index rows, index columns, bool aligned, strided<T> out, Inputs... inputs) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    for_each_pack<T>(columns, [&](index i, index count) {
        auto const of_packs = [&](auto const&... from) {
            pack<T> results;
#pragma unroll
            for (int k = 0; k < pack<T>::size; ++k) results.values[k] = f(from.values[k]...);
            return results;
        };
        store(of_packs(load(inputs[r] + i, count, aligned)...), out[r] + i, count, aligned);
    });
}

/// The grid of blocks `warp_per_row`.
inline dim3 grid_of(index rows, index columns, index columns_of_one) {
    return {parts(rows, rows_per_block), parts(columns, columns_of_one), 1};
}

/// Starts map_rows_kernel. @param inputs  strided rows [R, D]; `out` may be one of them
template <class T, class F, class... Inputs>
void map_rows(stream_handle stream, F f, index rows, index columns, strided<T> out, Inputs... inputs) {
    launch(&map_rows_kernel<T, F, Inputs...>, grid_of(rows, columns, columns_per_warp<T>), warp_per_row, 0, stream, f,
           rows, columns, aligned(out) && (aligned(inputs) && ...), out, inputs...);
}

}  // namespace plateau::backend::cuda
