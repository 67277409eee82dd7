#pragma once
/// Queries, keys or values of an attention's input.

#include <array>
#include <cstddef>

#include <plateau/core/macros.hpp>
#include <plateau/nn/attention_results.hpp>
#include <plateau/nn/split_tangents.hpp>

namespace plateau::nn {

inline constexpr std::array<work_buffer, 3> unclipped_buffers{
    {{"unclipped q"}, {"unclipped k"}, {"unclipped v"}}};  ///< [R, heads · E], kept for tangents

/// y = x Wᵀ (+ b), each head of its own input where that is split, shown before it is clamped to ±clip.
template <class Context, class T>
struct projection {
    using rows = layer_rows<Context, T>;
    using rows_view = typename rows::rows_view;
    using const_rows_view = typename rows::const_rows_view;

    linear<Context, T> const& by;
    hooks::site_id at;  ///< q, k or v
    backend::attention_shape<T> const& shape;
    T clip;  ///< 0 for none

    PLATEAU_INLINE void forward(rows l, const_rows_view x, rows_view y) const {
        if (wants_split_inputs(l)) {
            by_head(l, x.extent(1), y, [&](rows_view from, rows_view to) { by.forward(l.context(), from, to); });
        } else {
            by.forward(l.context(), x, y);
        }
        l.hook(at, y, y.extent(1) / shape.width);
        if (!(clip > 0)) return;
        if (l.pass.has_tangents()) backend::copy<T>(l.context(), y, unclipped(l, y.extent(1)));
        backend::clip<T>(l.context(), y, clip);
    }

    /// ẏ = ẋ Wᵀ, 0 where the value is clipped.
    void tangents(layer_duals<Context, T> l, dual<rows_view> x, rows_view dy) const {
        if (splits_tangents(l)) {
            by_head(l.tangent, x.tangent.extent(1), dy,
                    [&](rows_view from, rows_view to) { by.jvp(l.context(), from, to); });
        } else {
            by.jvp(l.context(), x.tangent, dy);
        }
        l.hook_tangents(at, dy, dy.extent(1) / shape.width);
        if (clip > 0) backend::clip_tangents<T>(l.context(), unclipped(l.value, dy.extent(1)), clip, l.all(), dy);
    }

    /// gx = or += g W, g being 0 where the value is clipped; or those of each head's own input, gx = or += 0.
    void cotangents(layer_duals<Context, T> l, rows_view g, rows_view gx, backend::accumulate sum) const {
        if (clip > 0) backend::clip_tangents<T>(l.context(), unclipped(l.value, g.extent(1)), clip, l.all(), g);
        l.hook_cotangents(at, g, g.extent(1) / shape.width);
        if (!splits_tangents(l)) return by.vjp(l.context(), *l.transposes, g, gx, sum);
        if (sum == backend::accumulate::no) backend::clear<T>(l.context(), gx);
        split_inputs<Context, T> const inputs{l.tangent, shape.heads, shape.kv_heads, gx.extent(1)};
        auto const alone = l.tangent.matrix(one_head_buffer, g.extent(1));
        for (index h = 0; h < g.extent(1) / shape.width; ++h) {
            backend::clear<T>(l.context(), alone);
            copy_head<Context, T>(l.context(), g, h, shape.width, alone);
            by.vjp(l.context(), *l.transposes, alone, inputs.part(first_copy() + h, 1));
        }
    }

private:
    rows_view unclipped(rows l, index width) const {
        auto const number = static_cast<std::size_t>(at) - static_cast<std::size_t>(hooks::site_id::q);
        return l.matrix(unclipped_buffers[number], width);
    }

    index first_copy() const {
        return at == hooks::site_id::q ? 0 : at == hooks::site_id::k ? shape.heads : shape.heads + shape.kv_heads;
    }

    /// Each head of its own input: of the whole product what belongs to it, the same bits.
    template <class Product>
    void by_head(rows l, index width, rows_view y, Product const& product) const {
        split_inputs<Context, T> const inputs{l, shape.heads, shape.kv_heads, width};
        auto const whole = l.matrix(one_head_buffer, y.extent(1));
        for (index h = 0; h < y.extent(1) / shape.width; ++h) {
            product(inputs.part(first_copy() + h, 1), whole);
            copy_head<Context, T>(l.context(), whole, h, shape.width, y);
        }
    }
};

}  // namespace plateau::nn
