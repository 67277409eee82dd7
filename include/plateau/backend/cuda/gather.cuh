#pragma once
/// Rows of a table, a warp each.

#include <plateau/backend/cuda/map_rows.cuh>

namespace plateau::backend::cuda {

/// out_r = table[ids[r]], or a row of NaN.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    gather_kernel(strided<T const> table, index table_rows, index const* ids, index rows, index columns, bool aligned,
                  strided<T> out) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    index const id = ids[r];
    bool const known = id >= 0 && id < table_rows;
    for_each_pack<T>(columns, [&](index i, index count) {
        auto values = load(table[known ? id : 0] + i, known ? count : 0, aligned);
#pragma unroll
        for (T& value : values.values) value = known ? value : static_cast<T>(nanf(""));
        store(values, out[r] + i, count, aligned);
    });
}

}  // namespace plateau::backend::cuda
