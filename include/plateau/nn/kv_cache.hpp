#pragma once
/// Keys and values of a sequence's first positions, kept for the rows that come after them.

#include <array>

#include <plateau/backend/backends.hpp>
#include <plateau/core/error.hpp>
#include <plateau/nn/rows.hpp>

namespace plateau::nn {

/// Keys (after rotation) and values of `positions` positions in the layers [first_layer, first_layer + layers),
/// each [positions, KV · E]. Written by one pass, then shared, read-only, by any number of rows.
template <class Context, class T>
class kv_cache final : public kept_keys {
public:
    using view = tensor::view<T, 2, typename Context::space>;
    using const_view = tensor::view<T const, 2, typename Context::space>;

    kv_cache() = default;
    kv_cache(Context const& ctx, int first_layer, int layers, index positions, index width)
        : first_layer_{first_layer}, layers_{layers}, storage_{backend::allocate<T>(
                                                          ctx, std::array{index{2} * layers, positions, width})} {}

    /// What a sequence names, as a cache of this backend. @pre it was made by the same backend
    static kv_cache& of(kept_keys& kept) { return static_cast<kv_cache&>(kept); }
    static kv_cache const& of(kept_keys const& kept) { return static_cast<kv_cache const&>(kept); }

    index positions() const override { return storage_.extent(1); }
    /// Elements from a layer's keys to those of the next.
    index layer_step() const { return 2 * storage_.extent(1) * storage_.extent(2); }
    bool holds(int layer) const { return layer >= first_layer_ && layer < first_layer_ + layers_; }
    view keys(int layer) { return matrix<view>(storage_.data(), slot(layer)); }
    view values(int layer) { return matrix<view>(storage_.data(), slot(layer) + 1); }
    const_view keys(int layer) const { return matrix<const_view>(storage_.data(), slot(layer)); }
    const_view values(int layer) const { return matrix<const_view>(storage_.data(), slot(layer) + 1); }

    static index bytes(int layers, index positions, index width) {
        return index{2} * layers * positions * width * static_cast<index>(sizeof(T));
    }

private:
    template <class View, class Elements>
    View matrix(Elements* all, index which) const {
        index const rows = storage_.extent(1), columns = storage_.extent(2);
        return {all + which * rows * columns, {rows, columns}};
    }
    index slot(int layer) const {
        if (!holds(layer)) throw shape_error("no keys and values were kept for layer ", layer);
        return index{2} * (layer - first_layer_);
    }

    int first_layer_ = 0;
    int layers_ = 0;
    typename Context::template buffer<T, 3> storage_;
};

}  // namespace plateau::nn
