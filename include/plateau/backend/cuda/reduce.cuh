#pragma once
/// Sums and maxima over a warp and over a block, in an order that depends on nothing but the number of threads.

#include <plateau/backend/cuda/block_shared.cuh>

namespace plateau::backend::cuda {

inline constexpr int warp_lanes = 32;
inline constexpr unsigned whole_warp = 0xFFFFFFFFu;

/// Σ over the lanes, the same bits in each: pairs at a distance of 16, 8, 4, 2, 1. @pre the whole warp calls it
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(whole_warp, value, distance);
    return value;
}

/// The largest of the lanes' values, in each. @pre the whole warp calls it
template <class T>
__device__ __forceinline__ T warp_max(T value) {
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2) {
        T const other = __shfl_xor_sync(whole_warp, value, distance);
        value = other > value ? other : value;
    }
    return value;
}

/// Σ over the block's threads, the same bits in each: every warp's sum, then those in their order.
/// @pre all threads call it; the block is one-dimensional and has `Warps` whole warps
template <int Warps, class T>
__device__ __forceinline__ T block_sum(T value) {
    T* const sums = block_shared<T, Warps, struct sums_of_warps>();
    value = warp_sum(value);
    __syncthreads();  // the cells may still be read: by the threads of the sum before
    if (threadIdx.x % warp_lanes == 0) sums[threadIdx.x / warp_lanes] = value;
    __syncthreads();
    T total = 0;
    for (int warp = 0; warp < Warps; ++warp) total += sums[warp];
    return total;
}

/// The largest of the threads' values, in each. @pre as of block_sum
template <int Warps, class T>
__device__ __forceinline__ T block_max(T value) {
    T* const largest = block_shared<T, Warps, struct largest_of_warps>();
    value = warp_max(value);
    __syncthreads();  // the cells may still be read: by the threads of the maximum before
    if (threadIdx.x % warp_lanes == 0) largest[threadIdx.x / warp_lanes] = value;
    __syncthreads();
    for (int warp = 0; warp < Warps; ++warp) value = largest[warp] > value ? largest[warp] : value;
    return value;
}

}  // namespace plateau::backend::cuda
