#pragma once
/// What one block of the attention kernel works on, and how large its pieces are.

#include <span>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/cuda/packs.cuh>
#include <plateau/backend/cuda/reduce.cuh>

namespace plateau::backend::cuda {

/// Sizes of the attention kernel for heads of at most Width coordinates.
template <class T, int Width>
struct attention_sizes {
    static constexpr int warps = 4;
    static constexpr int per_warp = sizeof(T) == 4 ? 4 : 2;  ///< queries that a warp answers at a time
    static constexpr int queries = warps * per_warp;
    static constexpr int stride =
        Width + pack<T>::size;  ///< of keys in shared memory: lanes that read a column meet in no bank
    static constexpr int keys =
        Width * sizeof(T) <= 512 ? 32 : 16384 / (Width * static_cast<int>(sizeof(T)));  ///< of a tile
    static constexpr int columns = Width / warp_lanes;                                  ///< that a lane sums up
    static constexpr int blocks =
        sizeof(T) == 4 ? 4 : 3;  ///< on a multiprocessor at least: registers enough to spill none
    static_assert(keys <= warp_lanes);
    static_assert((queries * (Width + keys) + keys * stride) * sizeof(T) <= 48 * 1024,
                  "what a block may have without asking");
};

/// Rows of one sequence, or independent rows that share their prefix; a query is a row at one of the heads of a group,
/// so that query i of the run is row i / group.
template <class T>
struct attention_tile {
    strided<T const> prefix_keys, prefix_values;  ///< of layer `first_layer`
    index layer_step;  ///< elements from one layer's keys to those of the next, and as many between their values
    int first_layer;
    int prefix;
    index first_row;        ///< of the run
    bool independent_rows;  ///< each row is a sequence of its own; otherwise they follow each other
    int first_query;        ///< of this tile
    int queries = 0;
};

/// Keys that row j of the tile's run sees: its own is the last one.
template <class T>
__device__ __forceinline__ int keys_of(attention_tile<T> const& tile, int j) {
    return tile.prefix + (tile.independent_rows ? 1 : j + 1);
}

/// ⟨a, b⟩ in the order of the coordinates. @param a,b  multiples of 16 bytes if `aligned`; the same bits if not
template <class T>
__device__ __forceinline__ T ordered_dot(T const* a, T const* b, int width, bool aligned) {
    T sum = 0;
    for (int e = 0; e < width; e += pack<T>::size) {
        auto const x = load(a + e, width - e, aligned), y = load(b + e, width - e, aligned);
#pragma unroll
        for (int i = 0; i < pack<T>::size; ++i) sum = fma(x.values[i], y.values[i], sum);
    }
    return sum;
}

/// @throws shape_error unless the heads share their keys evenly
template <class T>
void require_heads(attention_shape<T> const& shape) {
    if (shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0 || shape.width < 1) {
        throw shape_error("attention of ", shape.heads, " heads of ", shape.width, " coordinates cannot share ",
                          shape.kv_heads, " keys");
    }
}

/// @throws shape_error unless the segments fit the heads and a block of `rows` rows
template <class T>
void require_segments(attention_shape<T> const& shape, std::span<segment<T, device_space> const> segments, index rows) {
    index const prefix_width = shape.kv_heads * shape.width;
    for (auto const& one : segments) {
        if (one.first_row < 0 || one.rows < 1 || one.first_row + one.rows > rows) {
            throw shape_error("a segment of rows ", one.first_row, " to ", one.first_row + one.rows,
                              " does not fit a block of ", rows);
        }
        if (one.prefix() == 0) continue;
        tensor::require_extents(one.prefix_keys.extents(), {one.prefix(), prefix_width}, "the keys of a prefix");
        tensor::require_extents(one.prefix_values.extents(), {one.prefix(), prefix_width}, "the values of a prefix");
    }
}

}  // namespace plateau::backend::cuda
