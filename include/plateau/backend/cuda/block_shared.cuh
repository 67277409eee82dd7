#pragma once
/// Shared memory of a block, always through this one function: the tests put another header in its place, which fills
/// the memory with nonsense for every block and sees what reads beyond its end.

#include <cuda_runtime.h>

namespace plateau::backend::cuda {

/// N cells, the same ones for all threads of the block, with no values. @tparam Name  tells arrays of one kernel apart:
///     double* sums = block_shared<double, 4, struct warp_sums>();
template <class T, int N, class Name>
__device__ __forceinline__ T* block_shared() {
    __shared__ alignas(16) T cells[N];
    return cells;
}

}  // namespace plateau::backend::cuda
