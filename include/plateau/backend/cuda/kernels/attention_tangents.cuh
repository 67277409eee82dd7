#pragma once
/// Kernels of the tangents and cotangents of attention: a warp per tangent and head, its lanes keys, or columns.

#include <algorithm>
#include <vector>

#include <plateau/backend/cuda/kernels/attention_steps.cuh>
#include <plateau/backend/cuda/tangents.hpp>

namespace plateau::backend::cuda {

/// A tangent, and where the keys and values are that its row sees.
template <class T>
struct tangent_keys {
    strided<T const> prefix_keys, prefix_values;
    index row;        ///< that it belongs to
    index first_row;  ///< of that row's sequence
    index first;      ///< tangent of the sequence's first row
    int own;          ///< tangents of the sequence
    int prefixed;     ///< keys of the prefix
    int end;          ///< keys up to its own
    int held;

    __device__ __forceinline__ T const* key(int position, strided<T const> keys) const {
        return position < prefixed ? prefix_keys[position] : keys[first_row + position - prefixed];
    }
    __device__ __forceinline__ T const* value(int position, strided<T const> values) const {
        return position < prefixed ? prefix_values[position] : values[first_row + position - prefixed];
    }
};

/// What the kernels of one call share. Patterns are [R, H, K], changes [t, H, K].
template <class T>
struct tangent_attention {
    attention_shape<T> shape;
    tangent_keys<T> const* of;
    index count;                        ///< of tangents
    int keys;                           ///< K
    strided<T const> patterns, slopes;  ///< slopes of the cap; null without one
    strided<T> changes;

    __device__ __forceinline__ int kv_of(int head) const {
        return head / static_cast<int>(shape.heads / shape.kv_heads);
    }
};

/// out_i = 1 − (s_i / cap)², of capped scores; of a key that is not seen 0.
template <class T>
struct cap_slope {
    T cap;
    __device__ T operator()(T score) const { return score == -INFINITY ? T(0) : T(1) - score / cap * (score / cap); }
};

/// changes = P (c − Σ P c) · the slope of a cap · scale, c_p = change(p): Ṗ's scores if `forwards`, else gP. The slope
/// and the scale belong to the scores: before the softmax on the way forwards, behind it on the way back.
template <bool Forwards, class T, class Change>
__device__ __forceinline__ void through_softmax(tangent_attention<T> const& all, tangent_keys<T> const& tangent,
                                                index t, int head, Change const& change) {
    index const at = index{head} * all.keys;
    T const* const pattern = all.patterns[tangent.row] + at;
    T const* const slopes = all.slopes.data != nullptr ? all.slopes[tangent.row] + at : nullptr;
    T* const out = all.changes[t] + at;
    auto const scaled = [&](T value, int p) {
        return value * all.shape.scale * (slopes != nullptr ? slopes[p] : T(1));
    };
    double sum = 0;
    for (int p = static_cast<int>(threadIdx.x); p < tangent.end; p += warp_lanes) {
        T one = tangent.held != 0 ? T(0) : change(p);
        if constexpr (Forwards) one = scaled(one, p);
        out[p] = one;
        sum += static_cast<double>(pattern[p]) * static_cast<double>(one);
    }
    T const mean = static_cast<T>(warp_sum(sum));
    for (int p = static_cast<int>(threadIdx.x); p < tangent.end; p += warp_lanes) {  // each lane its own
        T const one = pattern[p] * (out[p] - mean);
        out[p] = Forwards ? one : scaled(one, p);
    }
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    pattern_tangent_kernel(tangent_attention<T> all, strided<T const> q, strided<T const> keys, strided<T const> dq,
                           strided<T const> dkeys, bool aligned) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= all.count) return;
    tangent_keys<T> const tangent = all.of[t];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(all.shape.width), kv = all.kv_of(head);
    T const *const moved = dq[t] + head * width, *const query = q[tangent.row] + head * width;
    through_softmax<true>(all, tangent, t, head, [&](int p) {
        T change = ordered_dot(moved, tangent.key(p, keys) + kv * width, width, aligned);
        if (p >= tangent.prefixed)
            change += ordered_dot(query, dkeys[tangent.first + p - tangent.prefixed] + kv * width, width, aligned);
        return change;
    });
}

/// ż = Ṗ V + P V̇ of own values.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    mix_tangent_kernel(tangent_attention<T> all, strided<T const> values, strided<T const> dvalues, strided<T> dz) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= all.count) return;
    tangent_keys<T> const tangent = all.of[t];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(all.shape.width), kv = all.kv_of(head);
    index const at = index{head} * all.keys;
    T const *const pattern = all.patterns[tangent.row] + at, *const change = all.changes[t] + at;
    for (int e = static_cast<int>(threadIdx.x); e < width; e += warp_lanes) {
        T sum = 0;
        for (int p = 0; p < tangent.end; ++p) sum = fma(change[p], tangent.value(p, values)[kv * width + e], sum);
        for (int p = tangent.prefixed; p < tangent.end; ++p)
            sum = fma(pattern[p], dvalues[tangent.first + p - tangent.prefixed][kv * width + e], sum);
        dz[t][head * width + e] = sum;
    }
}

template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    pattern_cotangent_kernel(tangent_attention<T> all, strided<T const> values, strided<T const> gz, bool aligned) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= all.count) return;
    tangent_keys<T> const tangent = all.of[t];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(all.shape.width), kv = all.kv_of(head);
    T const* const from = gz[t] + head * width;
    through_softmax<false>(all, tangent, t, head, [&](int p) {
        return ordered_dot(from, tangent.value(p, values) + kv * width, width, aligned);
    });
}

/// gq = Σ gs_p k_p
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    query_cotangent_kernel(tangent_attention<T> all, strided<T const> keys, strided<T> gq) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= all.count) return;
    tangent_keys<T> const tangent = all.of[t];
    int const head = static_cast<int>(blockIdx.y), width = static_cast<int>(all.shape.width), kv = all.kv_of(head);
    T const* const change = all.changes[t] + index{head} * all.keys;
    for (int e = static_cast<int>(threadIdx.x); e < width; e += warp_lanes) {
        T sum = 0;
        for (int p = 0; p < tangent.end; ++p) sum = fma(change[p], tangent.key(p, keys)[kv * width + e], sum);
        gq[t][head * width + e] = sum;
    }
}

/// gk = Σ gs q and gv = Σ P gz of tangent t's own key: over the tangents of its sequence from its own on, in their
/// order, each with the heads that share it. blockIdx.y is a head of keys.
template <class T>
__global__ void __launch_bounds__(warp_lanes* rows_per_block)
    key_cotangent_kernel(tangent_attention<T> all, strided<T const> q, strided<T const> gz, strided<T> gk,
                         strided<T> gv) {
    index const t = index{blockIdx.x} * rows_per_block + threadIdx.y;
    if (t >= all.count) return;
    tangent_keys<T> const own = all.of[t];
    int const kv = static_cast<int>(blockIdx.y), width = static_cast<int>(all.shape.width);
    int const group = static_cast<int>(all.shape.heads / all.shape.kv_heads), position = own.end - 1;
    for (int e = static_cast<int>(threadIdx.x); e < width; e += warp_lanes) {
        T of_key = 0, of_value = 0;
        for (index u = t; u < own.first + own.own; ++u) {
            index const row = all.of[u].row;
            for (int head = kv * group; head < (kv + 1) * group; ++head) {
                index const at = index{head} * all.keys + position;
                of_key = fma(all.changes[u][at], q[row][head * width + e], of_key);
                of_value = fma(all.patterns[row][at], gz[u][head * width + e], of_value);
            }
        }
        gk[t][kv * width + e] = of_key;
        gv[t][kv * width + e] = of_value;
    }
}

/// Patterns of the rows, and room for what of them changes.
template <class T>
class tangent_patterns {
public:
    /// @param own  of R rows      @param count  t
    tangent_patterns(cuda_context const& ctx, attention_shape<T> const& shape,
                     attention_rows<T, device_space> const& own, tangents_of const& of,
                     std::span<segment<T, device_space> const> segments)
        : shape_{shape} {
        require_heads(shape);
        require_segments(shape, segments, of.count());
        index const rows = own.q.extent(0);
        tensor::require_extents(own.q.extents(), {rows, shape.heads * shape.width}, "the queries");
        tensor::require_extents(own.keys.extents(), {rows, shape.kv_heads * shape.width}, "the keys");
        tensor::require_extents(own.values.extents(), own.keys.extents(), "the values");
        list(own, of, segments);
        of_ = to_device(ctx, tensor::view<tangent_keys<T> const, 1>{tangents_.data(), {std::ssize(tangents_)}});
        auto const value_rows =
            to_device(ctx, tensor::view<attention_row<T> const, 1>{rows_.data(), {std::ssize(rows_)}});
        patterns_ = device_buffer<T, 2>{ctx, {rows, shape.heads * keys_}};
        changes_ = device_buffer<T, 2>{ctx, {of.count(), shape.heads * keys_}};
        auto const patterns = rows_of(patterns_.view());
        bool const whole_packs = shape.width % pack<T>::size == 0;
        aligned_ = whole_packs && aligned(rows_of(own.q), rows_of(own.keys), rows_of(own.values)) &&
                   std::ranges::all_of(segments, [](auto const& one) {
                       return aligned(rows_of(one.prefix_keys), rows_of(one.prefix_values));
                   });
        for_each_head(ctx, &attention_scores_kernel<T>, std::ssize(rows_), shape.heads, shape, value_rows.view().data(),
                      std::ssize(rows_), rows_of(own.q), rows_of(own.keys), patterns, keys_, aligned_);
        if (shape.cap > 0) {
            slopes_ = device_buffer<T, 2>{ctx, patterns_.extents()};
            auto const scores = strided<T const>{patterns.data, patterns.stride};
            map_rows(ctx.stream(), cap_slope<T>{shape.cap}, rows, patterns_.extents()[1], rows_of(slopes_.view()),
                     scores);
        }
        for_each_head(ctx, &attention_softmax_kernel<T>, std::ssize(rows_), shape.heads, value_rows.view().data(),
                      std::ssize(rows_), static_cast<int>(shape.window), patterns, keys_);
    }

    tangent_attention<T> view() {
        auto const read = [](device_buffer<T, 2>& x) {
            auto const rows = rows_of(x.view());
            return strided<T const>{rows.data, rows.stride};
        };
        return {shape_,
                of_.view().data(),
                std::ssize(tangents_),
                keys_,
                read(patterns_),
                shape_.cap > 0 ? read(slopes_) : strided<T const>{},
                rows_of(changes_.view())};
    }
    index count() const { return std::ssize(tangents_); }
    bool whole_packs() const { return aligned_; }

private:
    /// The tangents of all segments, and their rows, each once.
    void list(attention_rows<T, device_space> const& own, tangents_of const& of,
              std::span<segment<T, device_space> const> segments) {
        tangents_.resize(static_cast<std::size_t>(of.count()));
        std::vector<bool> known(static_cast<std::size_t>(own.q.extent(0)));
        for (auto const& one : segments) {
            auto const prefixed = static_cast<int>(one.prefix());
            auto const prefix_keys = prefixed > 0 ? rows_of(one.prefix_keys) : rows_of(own.keys),
                       prefix_values = prefixed > 0 ? rows_of(one.prefix_values) : rows_of(own.values);
            index const first_row = one.rows > 0 ? of.row(one.first_row) : 0;
            for (index j = 0; j < one.rows; ++j) {
                index const t = one.first_row + j, row = of.row(t);
                int const end = prefixed + static_cast<int>(j) + 1;
                tangents_[static_cast<std::size_t>(t)] = {prefix_keys, prefix_values, row,
                                                          first_row,   one.first_row, static_cast<int>(one.rows),
                                                          prefixed,    end,           of.is_held(t) ? 1 : 0};
                keys_ = std::max(keys_, end);
                if (known[static_cast<std::size_t>(row)]) continue;
                known[static_cast<std::size_t>(row)] = true;
                rows_.push_back({prefix_keys, row, first_row, prefixed, end});
            }
        }
    }

    attention_shape<T> shape_;
    std::vector<tangent_keys<T>> tangents_;
    std::vector<attention_row<T>> rows_;
    int keys_ = 1;
    bool aligned_ = false;
    device_buffer<tangent_keys<T>, 1> of_;
    device_buffer<T, 2> patterns_, slopes_, changes_;
};

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void attention_tangents(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                        std::type_identity_t<attention_rows<T, device_space>> const& own,
                        std::type_identity_t<attention_rows<T, device_space>> const& tangents, tangents_of const& of,
                        std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                        device_view<T, 2> dz) {
    cuda::tangent_patterns<T> patterns{ctx, shape, own, of, segments};
    tensor::require_extents(dz.extents(), {of.count(), shape.heads * shape.width}, "the tangents of attention");
    tensor::require_extents(tangents.q.extents(), dz.extents(), "the tangents of queries");
    tensor::require_extents(tangents.keys.extents(), {of.count(), shape.kv_heads * shape.width}, "those of keys");
    tensor::require_extents(tangents.values.extents(), tangents.keys.extents(), "those of values");
    auto const dq = cuda::rows_of(tangents.q), dkeys = cuda::rows_of(tangents.keys);
    cuda::for_each_head(ctx, &cuda::pattern_tangent_kernel<T>, of.count(), shape.heads, patterns.view(),
                        cuda::rows_of(own.q), cuda::rows_of(own.keys), dq, dkeys,
                        patterns.whole_packs() && cuda::aligned(dq, dkeys));
    cuda::for_each_head(ctx, &cuda::mix_tangent_kernel<T>, of.count(), shape.heads, patterns.view(),
                        cuda::rows_of(own.values), cuda::rows_of(tangents.values), cuda::rows_of(dz));
}

template <DeviceElement T>
void attention_cotangents(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                          std::type_identity_t<attention_rows<T, device_space>> const& own, tangents_of const& of,
                          std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                          std::type_identity_t<device_view<T const, 2>> gz,
                          std::type_identity_t<std::array<device_view<T, 2>, 3>> const& g) {
    cuda::tangent_patterns<T> patterns{ctx, shape, own, of, segments};
    tensor::require_extents(gz.extents(), {of.count(), shape.heads * shape.width}, "the cotangents of attention");
    tensor::require_extents(g[0].extents(), gz.extents(), "the cotangents of queries");
    tensor::require_extents(g[1].extents(), {of.count(), shape.kv_heads * shape.width}, "those of keys");
    tensor::require_extents(g[2].extents(), g[1].extents(), "those of values");
    auto const from = cuda::rows_of(gz);
    cuda::for_each_head(ctx, &cuda::pattern_cotangent_kernel<T>, of.count(), shape.heads, patterns.view(),
                        cuda::rows_of(own.values), from, patterns.whole_packs() && cuda::aligned(from));
    cuda::for_each_head(ctx, &cuda::query_cotangent_kernel<T>, of.count(), shape.heads, patterns.view(),
                        cuda::rows_of(own.keys), cuda::rows_of(g[0]));
    cuda::for_each_head(ctx, &cuda::key_cotangent_kernel<T>, of.count(), shape.kv_heads, patterns.view(),
                        cuda::rows_of(own.q), from, cuda::rows_of(g[1]), cuda::rows_of(g[2]));
}

}  // namespace plateau::backend
