#pragma once
/// The largest of logits that come by blocks of tokens: what is kept is merged with the best of a block.

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/launch.cuh>
#include <plateau/backend/cuda/packs.cuh>
#include <plateau/backend/cuda/reduce.cuh>
#include <plateau/backend/logit_summary.hpp>

namespace plateau::backend::cuda {

inline constexpr int logit_warps = 8;
inline constexpr int logit_threads = logit_warps * warp_lanes;

/// A place in a block of tokens, or none.
template <class T>
struct candidate {
    T logit = -INFINITY;  ///< a NaN counts as −∞
    int place = -1;

    /// Whether it comes before another: a larger logit, or of equal ones the smaller token.
    __device__ __forceinline__ bool before(candidate other) const {
        if (place < 0 || other.place < 0) return place >= 0;
        return logit > other.logit || (logit == other.logit && place < other.place);
    }
};

template <class T>
__device__ __forceinline__ candidate<T> candidate_at(T logit, int place) {
    return {logit == logit ? logit : T(-INFINITY), place};
}

/// The best of a block's logits that comes after `last`, or the best of all if that is none; the same in all threads.
template <class T>
__device__ __forceinline__ candidate<T> next_best(T const* logits, int count, bool aligned, candidate<T> last) {
    candidate<T> best;
    for (int i = static_cast<int>(threadIdx.x) * pack<T>::size; i < count; i += logit_threads * pack<T>::size) {
        auto const some = load(logits + i, count - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            auto const one = candidate_at(some.values[k], i + k < count ? i + k : -1);
            if ((last.place < 0 || last.before(one)) && one.before(best)) best = one;
        }
    }
    for (int distance = warp_lanes / 2; distance > 0; distance /= 2) {
        candidate<T> const other{__shfl_xor_sync(whole_warp, best.logit, distance),
                                 __shfl_xor_sync(whole_warp, best.place, distance)};
        if (other.before(best)) best = other;
    }
    T* const logits_of_warps = block_shared<T, logit_warps, struct best_logits>();
    int* const places_of_warps = block_shared<int, logit_warps, struct best_places>();
    __syncthreads();  // the cells may still be read: by the threads of the call before
    if (threadIdx.x % warp_lanes == 0) {
        logits_of_warps[threadIdx.x / warp_lanes] = best.logit;
        places_of_warps[threadIdx.x / warp_lanes] = best.place;
    }
    __syncthreads();
    for (int warp = 0; warp < logit_warps; ++warp) {
        candidate<T> const other{logits_of_warps[warp], places_of_warps[warp]};
        if (other.before(best)) best = other;
    }
    return best;
}

/// `merged` = the best of `kept`, which has been through tokens [0, first), and of the logits of [first, first +
/// count), in order. Passes over a row's logits as often as one of them is taken, and once more. @param kept,merged
/// [rows, k]
template <class T>
__global__ void __launch_bounds__(logit_threads)
    merge_best_kernel(strided<T const> logits, bool aligned, index first, index count, index k,
                      scored_token<T> const* kept, scored_token<T>* merged) {
    index const r = blockIdx.x;
    T const* const own = logits[r];
    kept += r * k;
    merged += r * k;
    int const size = static_cast<int>(count);
    index const old = first < k ? first : k, all = first + count < k ? first + count : k;
    index place = 0;
    candidate<T> next = next_best<T>(own, size, aligned, {});
    for (index i = 0; i < all; ++i) {
        // of equal logits the older has the smaller token
        bool const take = place == old || (next.place >= 0 && next.logit > candidate_at(kept[place].logit, 0).logit);
        if (threadIdx.x == 0) merged[i] = take ? scored_token<T>{own[next.place], first + next.place} : kept[place];
        if (!take) ++place;
        else if (i + 1 < all) next = next_best(own, size, aligned, next);
    }
}

template <class T>
void merge_best(cuda_context const& ctx, index first, device_view<T const, 2> logits,
                device_view<scored_token<T> const, 2> kept, device_view<scored_token<T>, 2> merged) {
    auto const rows = rows_of(logits);
    launch(&merge_best_kernel<T>, parts(logits.extent(0), 1), logit_threads, 0, ctx.stream(), rows, aligned(rows),
           first, logits.extent(1), merged.extent(1), kept.data(), merged.data());
}

}  // namespace plateau::backend::cuda
