#pragma once
/// The kernel of attention.hpp. A block answers a tile of queries that share a key-value head, and passes over the keys
/// by tiles in shared memory: lanes are keys while scores are formed, and columns of values while they are mixed.

#include <algorithm>
#include <vector>

#include <plateau/backend/cuda/attention.hpp>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/kernels/attention_tile.cuh>
#include <plateau/backend/cuda/launch.cuh>

namespace plateau::backend::cuda {

/// Rows of the sequence at positions [first, first + Keys) into shared memory: of the prefix, then own ones up to
/// `end`; zeros after.
template <class T, int Keys, int Stride>
__device__ __forceinline__ void load_tile(T* cells, strided<T const> prefix, int prefixed, strided<T const> own,
                                          int first, int end, int width, bool aligned) {
    int const packs = (width + pack<T>::size - 1) / pack<T>::size;
    for (int p = static_cast<int>(threadIdx.x); p < Keys * packs; p += static_cast<int>(blockDim.x)) {
        int const key = p / packs, e = p % packs * pack<T>::size;
        int const position = first + key;
        pack<T> values{};
        if (position < end)
            values = load((position < prefixed ? prefix[position] : own[position - prefixed]) + e, width - e, aligned);
        store(values, cells + key * Stride + e, pack<T>::size, true);
    }
}

/// Running softmax of one query: exponentials are multiples of e^largest.
template <class T>
struct online_softmax {
    T largest = -INFINITY;
    T sum = 0;

    /// Takes a tile's score of each lane, −inf for none. @return this lane's exponential; `factor` is what earlier ones
    /// are multiplied by
    __device__ __forceinline__ T take(T score, T& factor) {
        T const tile = warp_max(score), top = tile > largest ? tile : largest;
        bool const nothing = top == T(-INFINITY);  // where −inf − −inf would give NaN
        factor = nothing ? T(1) : exp(largest - top);
        T const exponential = nothing ? T(0) : exp(score - top);
        sum = fma(sum, factor, warp_sum(exponential));
        largest = top;
        return exponential;
    }
};

/// @param q,z  [R, H · E]      @param keys,values  [R, KV · E], the rows' own      @param aligned  heads start at
/// multiples of 16 bytes
template <class T, int Width>
__global__ void __launch_bounds__(attention_sizes<T, Width>::warps* warp_lanes, attention_sizes<T, Width>::blocks)
    attention_kernel(attention_shape<T> shape, attention_tile<T> const* tiles, strided<T const> q,
                     strided<T const> keys, strided<T const> values, strided<T> z, bool aligned, int layer) {
    using sizes = attention_sizes<T, Width>;
    constexpr int count = sizes::per_warp;
    attention_tile<T> const tile = tiles[blockIdx.x];
    if (tile.queries == 0) return;
    int const lane = static_cast<int>(threadIdx.x % warp_lanes), warp = static_cast<int>(threadIdx.x / warp_lanes);
    int const width = static_cast<int>(shape.width);
    int const group = static_cast<int>(shape.heads / shape.kv_heads), window = static_cast<int>(shape.window);
    int const kv = static_cast<int>(blockIdx.y), head_start = kv * width;
    T* const queries = block_shared<T, sizes::queries * Width, struct attention_queries>() + warp * count * Width;
    T* const weights =
        block_shared<T, sizes::queries * sizes::keys, struct attention_weights>() + warp * count * sizes::keys;
    T* const cells = block_shared<T, sizes::keys * sizes::stride, struct attention_keys_or_values>();

    // where each of this warp's queries stands; those beyond the tile's repeat its last one
    int row[count], start[count], from[count],
        end[count];  // the row in its run, the head's first coordinate, the keys it sees
#pragma unroll
    for (int i = 0; i < count; ++i) {
        int const in_tile = warp * count + i < tile.queries ? warp * count + i : tile.queries - 1;
        int const query = tile.first_query + in_tile;
        row[i] = query / group;
        start[i] = (kv * group + query % group) * width;
        end[i] = keys_of(tile, row[i]);
        from[i] = window > 0 && end[i] > window ? end[i] - window : 0;
        for (int e = lane * pack<T>::size; e < width; e += warp_lanes * pack<T>::size) {
            store(load(q[tile.first_row + row[i]] + start[i] + e, width - e, aligned), queries + i * Width + e,
                  pack<T>::size, true);
        }
    }

    online_softmax<T> softmax[count];
    T mixed[count][sizes::columns] = {};
    int const first_end = keys_of(tile, tile.first_query / group),
              first_seen = window > 0 && first_end > window ? first_end - window : 0;
    int const last_end = keys_of(tile, (tile.first_query + tile.queries - 1) / group);
    int const shared_end = tile.independent_rows ? tile.prefix : last_end;  // keys beyond belong to one row each
    strided<T const> const own_keys{keys[tile.first_row] + head_start, keys.stride};
    strided<T const> const own_values{values[tile.first_row] + head_start, values.stride};
    index const to_layer = (layer - tile.first_layer) * tile.layer_step + head_start;
    // own rows stand for those of a prefix that is not there
    auto const prefix_keys =
        tile.prefix > 0 ? strided<T const>{tile.prefix_keys.data + to_layer, tile.prefix_keys.stride} : own_keys;
    auto const prefix_values =
        tile.prefix > 0 ? strided<T const>{tile.prefix_values.data + to_layer, tile.prefix_values.stride} : own_values;

    for (int first = first_seen / sizes::keys * sizes::keys; first < last_end; first += sizes::keys) {
        __syncthreads();  // the queries are there; the cells hold values that somebody may still read
        load_tile<T, sizes::keys, sizes::stride>(cells, prefix_keys, tile.prefix, own_keys, first, shared_end, width,
                                                 aligned);
        __syncthreads();
        int const position = first + lane;
        int const own_lane = tile.independent_rows && tile.prefix >= first && tile.prefix < first + sizes::keys
                                 ? tile.prefix - first
                                 : -1;
#pragma unroll
        for (int i = 0; i < count; ++i) {
            T score = -INFINITY;
            if (lane < sizes::keys && position >= from[i] && position < end[i]) {
                bool const own = lane == own_lane;
                T const* const key = own ? own_keys[row[i]] : cells + lane * sizes::stride;
                score = shape.scale * ordered_dot(queries + i * Width, key, width, !own || aligned);
                if (shape.cap > 0) score = shape.cap * tanh(score / shape.cap);
            }
            T factor;
            T const weight = softmax[i].take(score, factor);
            if (lane < sizes::keys) weights[i * sizes::keys + lane] = weight;
#pragma unroll
            for (T& column : mixed[i]) column *= factor;
        }
        __syncthreads();  // everybody is done with the keys, and the weights are there
        load_tile<T, sizes::keys, sizes::stride>(cells, prefix_values, tile.prefix, own_values, first, shared_end,
                                                 width, aligned);
        __syncthreads();
        for (int key = 0; key < sizes::keys && first + key < last_end; ++key) {
#pragma unroll
            for (int i = 0; i < count; ++i) {
                T const weight = weights[i * sizes::keys + key];
                if (first + key < from[i] || first + key >= end[i])
                    continue;  // a weight of 0, but what it would multiply may be NaN
                T const* const value = key == own_lane ? own_values[row[i]] : cells + key * sizes::stride;
#pragma unroll
                for (int c = 0; c < sizes::columns; ++c) {
                    int const e = c * warp_lanes + lane;
                    if (e < width) mixed[i][c] = fma(weight, value[e], mixed[i][c]);
                }
            }
        }
    }
#pragma unroll
    for (int i = 0; i < count; ++i) {
        if (warp * count + i >= tile.queries) break;
        T const inverse = T(1) / softmax[i].sum;
#pragma unroll
        for (int c = 0; c < sizes::columns; ++c) {
            int const e = c * warp_lanes + lane;
            if (e < width) z[tile.first_row + row[i]][start[i] + e] = mixed[i][c] * inverse;
        }
    }
}

/// The tiles of all segments: neighbours of one row each that share their prefix go together.
template <class T>
std::vector<attention_tile<T>> tiles_of(std::span<segment<T, device_space> const> segments,
                                        std::span<prefix_layers const> layers, index group, index queries_of_tile) {
    std::vector<attention_tile<T>> tiles;
    for (std::size_t i = 0; i < segments.size();) {
        auto const& first = segments[i];
        auto const& where = layers[i];
        bool const independent = first.rows == 1;
        index rows = first.rows;
        for (++i; independent && i < segments.size(); ++i, ++rows) {
            auto const& next = segments[i];
            bool const joins = next.rows == 1 && next.first_row == first.first_row + rows &&
                               next.prefix() == first.prefix() && next.prefix_keys.data() == first.prefix_keys.data() &&
                               next.prefix_values.data() == first.prefix_values.data();
            if (!joins) break;
        }
        for (index query = 0; query < rows * group; query += queries_of_tile) {
            tiles.push_back({rows_of(first.prefix_keys), rows_of(first.prefix_values), where.layer_step,
                             where.first_layer, static_cast<int>(first.prefix()), first.first_row, independent,
                             static_cast<int>(query),
                             static_cast<int>(std::min(queries_of_tile, rows * group - query))});
        }
    }
    return tiles;
}

/// Tiles come in this number, so that blocks of nearly the same segments have the same number of them.
inline constexpr std::size_t tiles_together = 32;

template <int Width, class T>
void make_tiles(cuda_context const& ctx, attention_shape<T> const& shape,
                std::span<segment<T, device_space> const> segments, std::span<prefix_layers const> layers,
                attention_tiles<T>& into) {
    auto tiles = tiles_of<T>(segments, layers, shape.group(), attention_sizes<T, Width>::queries);
    while (tiles.size() % tiles_together != 0) tiles.emplace_back();  // without queries
    into.count = static_cast<index>(tiles.size());
    into.aligned = true;
    for (auto const& tile : tiles) {
        bool const steps_aligned = tile.layer_step * static_cast<index>(sizeof(T)) % 16 == 0;
        into.aligned =
            into.aligned && (tile.prefix == 0 || (steps_aligned && aligned(tile.prefix_keys, tile.prefix_values)));
    }
    if (into.count > into.capacity) {
        into.tiles = {};
        into.tiles = {ctx, {into.count * static_cast<index>(sizeof(attention_tile<T>))}};
        into.capacity = into.count;
    }
    upload(into.tiles.data(), tiles.data(), tiles.size() * sizeof(attention_tile<T>), ctx.stream());
}

template <int Width, class T>
void start_attention(cuda_context const& ctx, attention_shape<T> const& shape, device_view<T const, 2> q,
                     device_view<T const, 2> keys, device_view<T const, 2> values, attention_tiles<T> const& tiles,
                     int layer, device_view<T, 2> z) {
    using sizes = attention_sizes<T, Width>;
    if (tiles.count == 0) return;
    bool const all_aligned =
        tiles.aligned && shape.width % pack<T>::size == 0 && aligned(rows_of(q), rows_of(keys), rows_of(values));
    launch(&attention_kernel<T, Width>, dim3{parts(tiles.count, 1), parts(shape.kv_heads, 1)},
           sizes::warps * warp_lanes, 0, ctx.stream(), shape,
           reinterpret_cast<attention_tile<T> const*>(tiles.tiles.data()), rows_of(q), rows_of(keys), rows_of(values),
           rows_of(z), all_aligned, layer);
}

/// Calls f<Width>() with the narrowest kernel that takes such heads.
template <class T, class F>
void with_width(attention_shape<T> const& shape, F const& f) {
    require_heads(shape);
    if (shape.width <= 64) return f.template operator()<64>();
    if (shape.width <= 128) return f.template operator()<128>();
    if (shape.width <= 256) return f.template operator()<256>();
    throw domain_error("heads of ", shape.width,
                       " coordinates are too wide for the CUDA backend, which takes up to 256: use --backend cpu");
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void tile_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape, index rows,
                    std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                    std::span<prefix_layers const> layers, attention_tiles<T>& into) {
    cuda::with_width(shape, [&]<int Width>() {
        cuda::require_segments(shape, segments, rows);
        cuda::make_tiles<Width, T>(ctx, shape, segments, layers, into);
    });
}

template <DeviceElement T>
void tiled_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                     std::type_identity_t<device_view<T const, 2>> q,
                     std::type_identity_t<device_view<T const, 2>> keys,
                     std::type_identity_t<device_view<T const, 2>> values, attention_tiles<T> const& tiles, int layer,
                     device_view<T, 2> z) {
    cuda::with_width(shape, [&]<int Width>() {
        index const rows = q.extent(0);
        tensor::require_extents(q.extents(), {rows, shape.heads * shape.width}, "the queries");
        tensor::require_extents(z.extents(), q.extents(), "the result of attention");
        tensor::require_extents(keys.extents(), {rows, shape.kv_heads * shape.width}, "the keys");
        tensor::require_extents(values.extents(), keys.extents(), "the values");
        cuda::start_attention<Width, T>(ctx, shape, q, keys, values, tiles, layer, z);
    });
}

template <DeviceElement T>
void prefix_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<device_view<T const, 2>> q,
                      std::type_identity_t<device_view<T const, 2>> keys,
                      std::type_identity_t<device_view<T const, 2>> values,
                      std::type_identity_t<std::span<segment<T, device_space> const>> segments, device_view<T, 2> z) {
    attention_tiles<T> tiles;
    tile_attention<T>(ctx, shape, q.extent(0), segments, std::vector<prefix_layers>(segments.size()), tiles);
    tiled_attention<T>(ctx, shape, q, keys, values, tiles, 0, z);
}

}  // namespace plateau::backend
