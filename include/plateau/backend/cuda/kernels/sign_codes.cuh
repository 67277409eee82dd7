#pragma once
/// Kernels of sign_codes.hpp: a warp per row.

#include <plateau/backend/cuda/map_rows.cuh>
#include <plateau/backend/cuda/sign_codes.hpp>

namespace plateau::backend::cuda {

inline constexpr int words_per_warp = 16;  ///< that a warp packs, in two votes each

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    sign_codes_kernel(strided<T const> x, index rows, index columns, strided<std::uint64_t> codes, index words) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    int const lane = static_cast<int>(threadIdx.x);
    index const first = index{blockIdx.y} * words_per_warp;
#pragma unroll 4
    for (int w = 0; w < words_per_warp; ++w) {
        if (first + w >= words) return;  // the whole warp
        index const low = (first + w) * signs_of_a_word + lane, high = low + warp_lanes;
        unsigned const even = __ballot_sync(whole_warp, low < columns && x[r][low] > T(0));
        unsigned const odd = __ballot_sync(whole_warp, high < columns && x[r][high] > T(0));
        if (lane == 0) codes[r][first + w] = std::uint64_t{odd} << warp_lanes | even;
    }
}

template <class Word>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    hamming_kernel(strided<Word const> codes, strided<Word const> others, index const* references, index rows,
                   index words, bool aligned, index* distances) {
    index const r = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (r >= rows) return;
    Word const *const own = codes[r], *const other = others[references[r]];
    constexpr int size = pack<Word>::size;
    index different = 0;
    for (index w = threadIdx.x * size; w < words; w += warp_lanes * size) {
        auto const p = load(own + w, words - w, aligned), q = load(other + w, words - w, aligned);
#pragma unroll
        for (int k = 0; k < size; ++k) different += __popcll(p.values[k] ^ q.values[k]);
    }
    different = warp_sum(different);
    if (threadIdx.x == 0) distances[r] = different;
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void sign_codes(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                std::type_identity_t<device_view<std::uint64_t, 2>> codes) {
    index const rows = x.extent(0), words = words_of_signs(x.extent(1));
    tensor::require_extents(codes.extents(), {rows, words}, "the sign codes of rows");
    cuda::launch(&cuda::sign_codes_kernel<T>, cuda::grid_of(rows, words, cuda::words_per_warp), cuda::warp_per_row, 0,
                 ctx.stream(), cuda::rows_of(x), rows, x.extent(1), cuda::rows_of(codes), words);
}

void hamming_distances(cuda_context const& ctx, device_view<std::uint64_t const, 2> codes,
                       device_view<std::uint64_t const, 2> others, device_view<index const, 1> references,
                       device_view<index, 1> distances) {
    require_hamming(codes, others, references, distances);
    auto const own = cuda::rows_of(codes), other = cuda::rows_of(others);
    cuda::launch(&cuda::hamming_kernel<std::uint64_t>, dim3{cuda::parts(codes.extent(0), cuda::rows_per_block)},
                 cuda::warp_per_row, 0, ctx.stream(), own, other, references.data(), codes.extent(0), codes.extent(1),
                 cuda::aligned(own, other), distances.data());
}

}  // namespace plateau::backend
