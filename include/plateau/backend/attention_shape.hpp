#pragma once
/// The shape of an attention, its rows and the segments that they form, on any backend.

#include <plateau/tensor/view.hpp>

namespace plateau::backend {

/// Heads and scale of an attention.
template <class T>
struct attention_shape {
    index heads;       ///< H
    index kv_heads;    ///< KV, divides H
    index width;       ///< E
    T scale;           ///< factor of the scores, usually 1/√E
    T cap = 0;         ///< c > 0: scaled scores become c·tanh(score / c)
    index window = 0;  ///< keys that a position sees, its own included; 0 for all

    index group() const { return heads / kv_heads; }
    /// The first key that a row sees that sees keys up to `end`.
    index first_key(index end) const { return window > 0 && end > window ? end - window : 0; }
};

/// Rows [first_row, first_row + rows) of a block that follow each other in one sequence, after a prefix of P positions:
/// row j sees the P keys of the prefix and the own keys of rows 0..j.
template <class T, class Space = tensor::host_space>
struct segment {
    index first_row = 0;
    index rows = 0;
    tensor::view<T const, 2, Space> prefix_keys;    ///< [P, KV · E]
    tensor::view<T const, 2, Space> prefix_values;  ///< [P, KV · E]

    index prefix() const { return prefix_keys.extent(0); }
};

/// What the attention of a block takes of its own rows.
template <class T, class Space = tensor::host_space>
struct attention_rows {
    tensor::view<T const, 2, Space> q;       ///< [R, H · E]
    tensor::view<T const, 2, Space> keys;    ///< [R, KV · E]
    tensor::view<T const, 2, Space> values;  ///< [R, KV · E]
};

/// Where the prefix of a segment stands for other layers.
struct prefix_layers {
    int first_layer = 0;   ///< the one that the segment names
    index layer_step = 0;  ///< elements from a layer's keys, or values, to those of the next
};

}  // namespace plateau::backend
