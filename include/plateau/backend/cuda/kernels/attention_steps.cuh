#pragma once
/// Kernels of attention_steps.hpp: a warp per row and head, its lanes keys, or columns of values.

#include <algorithm>
#include <vector>

#include <plateau/backend/cuda/attention_steps.hpp>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/kernels/attention_tile.cuh>
#include <plateau/backend/cuda/launch.cuh>
#include <plateau/backend/cuda/map_rows.cuh>

namespace plateau::backend::cuda {

/// A row, and where the keys or values are that it sees.
template <class T>
struct attention_row {
    strided<T const> prefix;
    index row;        ///< of the block
    index first_row;  ///< of its sequence in the block
    int prefixed;     ///< keys of the prefix
    int end;          ///< keys up to its own

    /// Key or value number `position`. @param own  the block's
    __device__ __forceinline__ T const* at(int position, strided<T const> own) const {
        return position < prefixed ? prefix[position] : own[first_row + position - prefixed];
    }
};

/// The first key that the row sees through the window, as attention_shape::first_key.
template <class T>
__device__ __forceinline__ int first_seen(attention_row<T> const& row, int window) {
    return window > 0 && row.end > window ? row.end - window : 0;
}

/// @param all_keys  K      @param aligned  heads start at multiples of 16 bytes
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    attention_scores_kernel(attention_shape<T> shape, attention_row<T> const* rows, index count, strided<T const> q,
                            strided<T const> keys, strided<T> scores, int all_keys, bool aligned) {
    index const i = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (i >= count) return;
    attention_row<T> const row = rows[i];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(shape.width);
    int const kv = head / static_cast<int>(shape.heads / shape.kv_heads),
              from = first_seen(row, static_cast<int>(shape.window));
    T const* const query = q[row.row] + head * width;
    T* const out = scores[row.row] + index{head} * all_keys;
    for (int p = static_cast<int>(threadIdx.x); p < all_keys; p += warp_lanes) {
        T score = -INFINITY;
        if (p >= from && p < row.end) {
            score = shape.scale * ordered_dot(query, row.at(p, keys) + kv * width, width, aligned);
            if (shape.cap > 0) score = shape.cap * tanh(score / shape.cap);
        }
        out[p] = score;
    }
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    attention_softmax_kernel(attention_row<T> const* rows, index count, int window, strided<T> scores, int all_keys) {
    index const i = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (i >= count) return;
    attention_row<T> const row = rows[i];
    int const from = first_seen(row, window), lane = static_cast<int>(threadIdx.x);
    T* const own = scores[row.row] + index{blockIdx.y} * all_keys;
    T largest = -INFINITY;
    for (int p = lane; p < row.end; p += warp_lanes) {
        if (p >= from && own[p] > largest) largest = own[p];
    }
    largest = warp_max(largest);
    double sum = 0;
    for (int p = lane; p < row.end; p += warp_lanes) {
        T const exponential = p < from ? T(0) : exp(own[p] - largest);
        own[p] = exponential;
        sum += static_cast<double>(exponential);
    }
    T const inverse = T(1) / static_cast<T>(warp_sum(sum));
    for (int p = lane; p < all_keys; p += warp_lanes) own[p] = p < row.end ? own[p] * inverse : T(0);
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    attention_mix_kernel(attention_shape<T> shape, attention_row<T> const* rows, index count, strided<T const> pattern,
                         int all_keys, strided<T const> values, strided<T> z) {
    index const i = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (i >= count) return;
    attention_row<T> const row = rows[i];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(shape.width);
    int const kv = head / static_cast<int>(shape.heads / shape.kv_heads);
    T const* const weights = pattern[row.row] + index{head} * all_keys;
    for (int e = static_cast<int>(threadIdx.x); e < width; e += warp_lanes) {
        T sum = 0;
        for (int p = 0; p < row.end; ++p) sum = fma(weights[p], row.at(p, values)[kv * width + e], sum);
        z[row.row][head * width + e] = sum;
    }
}

/// The rows of all segments, on the device.
/// @param prefix_of  segment → its keys or values      @param own  the block's, which stand for those of a prefix that
/// is not there
template <class T, class Prefix>
device_buffer<attention_row<T>, 1> rows_on_device(cuda_context const& ctx,
                                                  std::span<segment<T, device_space> const> segments,
                                                  strided<T const> own, Prefix const& prefix_of) {
    std::vector<attention_row<T>> rows;
    for (auto const& one : segments) {
        auto const prefix = one.prefix() > 0 ? rows_of(prefix_of(one)) : own;
        for (index j = 0; j < one.rows; ++j) {
            auto const prefixed = static_cast<int>(one.prefix());
            rows.push_back({prefix, one.first_row + j, one.first_row, prefixed, prefixed + static_cast<int>(j) + 1});
        }
    }
    return to_device(ctx, tensor::view<attention_row<T> const, 1>{rows.data(), {static_cast<index>(rows.size())}});
}

/// Starts a kernel with a warp per row and head. @param heads  H
template <class... Parameters, class... Arguments>
void for_each_head(cuda_context const& ctx, void (*kernel)(Parameters...), index rows, index heads,
                   Arguments&&... arguments) {
    launch(kernel, dim3{parts(rows, rows_per_block), parts(heads, 1)}, warp_per_row, 0, ctx.stream(), arguments...);
}

template <class T>
strided<T> rows_of_heads(device_view<T, 3> x) {
    return {x.data(), x.stride(0)};
}

/// @throws shape_error unless scores [R, H, K] have dense rows and room for all keys of the segments, which fit a block
/// of R rows
template <class S, class T>
void require_scores(device_view<S, 3> scores, attention_shape<T> const& shape,
                    std::span<segment<T, device_space> const> segments, index rows) {
    require_heads(shape);
    require_segments(shape, segments, rows);
    tensor::require_extents(scores.extents(), {rows, shape.heads, scores.extent(2)}, "the scores of attention");
    if (scores.extent(1) > 1 && scores.stride(1) != scores.extent(2)) {
        throw shape_error("the scores of a row's heads must follow each other");
    }
    for (auto const& one : segments) {
        if (one.prefix() + one.rows <= scores.extent(2)) continue;
        throw shape_error("scores of ", scores.extent(2), " keys have no room for the ", one.prefix() + one.rows,
                          " of a segment");
    }
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void attention_scores(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<device_view<T const, 2>> q,
                      std::type_identity_t<device_view<T const, 2>> keys,
                      std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                      device_view<T, 3> scores) {
    index const rows = q.extent(0);
    cuda::require_scores(scores, shape, segments, rows);
    tensor::require_extents(q.extents(), {rows, shape.heads * shape.width}, "the queries");
    tensor::require_extents(keys.extents(), {rows, shape.kv_heads * shape.width}, "the keys");
    auto const all_q = cuda::rows_of(q), own = cuda::rows_of(keys);
    auto const on_device = cuda::rows_on_device<T>(ctx, segments, own, [](auto const& one) { return one.prefix_keys; });
    bool const whole_packs = shape.width % cuda::pack<T>::size == 0;
    bool const aligned = whole_packs && cuda::aligned(all_q, own) && std::ranges::all_of(segments, [](auto const& one) {
                             return cuda::aligned(cuda::rows_of(one.prefix_keys));
                         });
    cuda::for_each_head(ctx, &cuda::attention_scores_kernel<T>, on_device.extents()[0], shape.heads, shape,
                        on_device.view().data(), on_device.extents()[0], all_q, own, cuda::rows_of_heads(scores),
                        static_cast<int>(scores.extent(2)), aligned);
}

template <DeviceElement T>
void attention_softmax(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                       std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                       device_view<T, 3> scores) {
    cuda::require_scores(scores, shape, segments, scores.extent(0));
    auto const on_device = cuda::rows_on_device<T>(ctx, segments, {}, [](auto const& one) { return one.prefix_keys; });
    cuda::for_each_head(ctx, &cuda::attention_softmax_kernel<T>, on_device.extents()[0], shape.heads,
                        on_device.view().data(), on_device.extents()[0], static_cast<int>(shape.window),
                        cuda::rows_of_heads(scores), static_cast<int>(scores.extent(2)));
}

template <DeviceElement T>
void attention_mix(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                   std::type_identity_t<device_view<T const, 3>> pattern,
                   std::type_identity_t<device_view<T const, 2>> values,
                   std::type_identity_t<std::span<segment<T, device_space> const>> segments, device_view<T, 2> z) {
    index const rows = z.extent(0);
    cuda::require_scores(pattern, shape, segments, rows);
    tensor::require_extents(z.extents(), {rows, shape.heads * shape.width}, "the result of attention");
    tensor::require_extents(values.extents(), {rows, shape.kv_heads * shape.width}, "the values");
    auto const own = cuda::rows_of(values);
    auto const on_device =
        cuda::rows_on_device<T>(ctx, segments, own, [](auto const& one) { return one.prefix_values; });
    cuda::for_each_head(ctx, &cuda::attention_mix_kernel<T>, on_device.extents()[0], shape.heads, shape,
                        on_device.view().data(), on_device.extents()[0], cuda::rows_of_heads(pattern),
                        static_cast<int>(pattern.extent(2)), own, cuda::rows_of(z));
}

}  // namespace plateau::backend
