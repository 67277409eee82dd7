#pragma once
/// Attention on the device: rows against the keys of a shared prefix, then those of their own sequence.

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>

namespace plateau::backend {

/// Segments dealt into tiles, on the device: the same for the attention of all layers that share a shape.
template <class T>
struct attention_tiles {
    device_buffer<std::byte, 1> tiles = {};
    index count = 0, capacity = 0;
    bool aligned = true;           ///< the prefixes' rows start at multiples of 16 bytes
    std::array<index, 3> heads{};  ///< of the attentions that they are for
    index moves = 0;               ///< how often their memory has moved

    /// For another block of rows.
    void begin() { heads = {}; }
    /// What work over them has in common with other work.
    std::array<index, 3> form() const { return {count, aligned, moves}; }
};

/// Deals segments into tiles; what `into` held before is overwritten in place where it is large enough.
/// @param rows    of the block that they belong to
/// @param layers  by segment      @throws shape_error on segments that do not fit, domain_error on heads that are too
/// wide
template <DeviceElement T>
void tile_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape, index rows,
                    std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                    std::span<prefix_layers const> layers, attention_tiles<T>& into);

/// prefix_attention in a layer, over tiles that were made before.
template <DeviceElement T>
void tiled_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                     std::type_identity_t<device_view<T const, 2>> q,
                     std::type_identity_t<device_view<T const, 2>> keys,
                     std::type_identity_t<device_view<T const, 2>> values, attention_tiles<T> const& tiles, int layer,
                     device_view<T, 2> z);

/// z[r, h] = Σ_j softmax_j(s_{r,h,j}) v_{j, h / (H / KV)},   s_{r,h,j} = scale · ⟨q_{r,h}, k_{j, h / (H / KV)}⟩, capped
/// if there is a cap, over the keys j that row r sees. Causal attention is a segment without a prefix. The softmax is
/// formed on the way, over tiles of keys that begin at fixed positions of the sequence: a row has the same bits in
/// whatever segment it stands.
/// @param q  [R, H · E], E ≤ 256      @param keys,values  [R, KV · E], the rows' own      @param z  [R, H · E]
/// @throws shape_error on extents that do not fit, domain_error on wider heads
/// @see Milakov & Gimelshein 2018, algorithm 3; Dao et al. 2022
template <DeviceElement T>
void prefix_attention(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<device_view<T const, 2>> q,
                      std::type_identity_t<device_view<T const, 2>> keys,
                      std::type_identity_t<device_view<T const, 2>> values,
                      std::type_identity_t<std::span<segment<T, device_space> const>> segments, device_view<T, 2> z);

/// Makes what attentions of one shape share in a block of rows, before they need it: its rows dealt into tiles, once
/// for all layers with the same heads. @see the CPU's attend
template <DeviceElement T, class Rows>
void prepare_attention(cuda_context const& ctx, attention_shape<T> const& shape, Rows& rows, int layer,
                       attention_tiles<T>& tiles) {
    std::array const heads{shape.heads, shape.kv_heads, shape.width};
    if (tiles.heads == heads) return;
    index const before = tiles.capacity;
    tile_attention<T>(ctx, shape, rows.rows(), rows.segments(layer), rows.prefix_layers(layer), tiles);
    if (tiles.capacity != before) ++tiles.moves;
    tiles.heads = heads;
}

/// z = attention of a block's rows in a layer.
template <DeviceElement T, class Rows>
void attend(cuda_context const& ctx, attention_shape<T> const& shape, attention_rows<T, device_space> const& own,
            Rows& rows, int layer, attention_tiles<T>& tiles, device_view<T, 2> z) {
    prepare_attention(ctx, shape, rows, layer, tiles);
    tiled_attention<T>(ctx, shape, own.q, own.keys, own.values, tiles, layer, z);
}

}  // namespace plateau::backend
