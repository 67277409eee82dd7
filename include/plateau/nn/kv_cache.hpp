#pragma once
/// Keys and values of a sequence's first positions, kept for the rows that come after them.

#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::nn {

/// Keys (after rotation) and values of `positions` positions in the layers [first_layer, first_layer + layers),
/// each [positions, KV · E]. Written by one pass, then shared, read-only, by any number of rows.
template <class Context, class T>
class kv_cache {
public:
    using view = tensor::view<T, 2, typename Context::space>;
    using const_view = tensor::view<T const, 2, typename Context::space>;

    kv_cache() = default;
    kv_cache(int first_layer, int layers, index positions, index width)
        : first_layer_{first_layer}, layers_{layers}, storage_{{index{2} * layers, positions, width}} {}

    index positions() const { return storage_.extent(1); }
    bool holds(int layer) const { return layer >= first_layer_ && layer < first_layer_ + layers_; }
    view keys(int layer) { return storage_.view()[slot(layer)]; }
    view values(int layer) { return storage_.view()[slot(layer) + 1]; }
    const_view keys(int layer) const { return storage_.view()[slot(layer)]; }
    const_view values(int layer) const { return storage_.view()[slot(layer) + 1]; }

    static index bytes(int layers, index positions, index width) {
        return index{2} * layers * positions * width * static_cast<index>(sizeof(T));
    }

private:
    index slot(int layer) const {
        if (!holds(layer)) throw shape_error{"no keys and values were kept for layer ", layer};
        return index{2} * (layer - first_layer_);
    }

    int first_layer_ = 0;
    int layers_ = 0;
    typename Context::template buffer<T, 3> storage_;
};

}  // namespace plateau::nn
