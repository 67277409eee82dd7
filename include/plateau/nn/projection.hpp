#pragma once
/// Queries, keys or values of an attention's input.

#include <array>
#include <cstddef>

#include <plateau/nn/attention_results.hpp>
#include <plateau/nn/duals.hpp>

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

    void forward(rows l, const_rows_view x, rows_view y) const {
        if (wants_split_inputs(l)) forward_by_head(l, x.extent(1), y);
        else by.forward(l.context(), x, y);
        l.hook(at, y, y.extent(1) / shape.width);
        if (!(clip > 0)) return;
        if (l.pass.has_tangents()) backend::copy<T>(l.context(), y, unclipped(l, y.extent(1)));
        backend::clip<T>(l.context(), y, clip);
    }

    /// ẏ = ẋ Wᵀ, 0 where the value is clipped.
    void tangents(layer_duals<Context, T> l, dual<rows_view> x, rows_view dy) const {
        by.jvp(l.context(), x.tangent, dy);
        l.hook_tangents(at, dy, dy.extent(1) / shape.width);
        if (clip > 0) backend::clip_tangents<T>(l.context(), unclipped(l.value, dy.extent(1)), clip, l.all(), dy);
    }

    /// gx = or += g W, g being 0 where the value is clipped.
    void cotangents(layer_duals<Context, T> l, rows_view g, rows_view gx, backend::accumulate sum) const {
        if (clip > 0) backend::clip_tangents<T>(l.context(), unclipped(l.value, g.extent(1)), clip, l.all(), g);
        l.hook_cotangents(at, g, g.extent(1) / shape.width);
        by.vjp(l.context(), *l.transposes, g, gx, sum);
    }

private:
    rows_view unclipped(rows l, index width) const {
        auto const number = static_cast<std::size_t>(at) - static_cast<std::size_t>(hooks::site_id::q);
        return l.matrix(unclipped_buffers[number], width);
    }

    /// Each head of its own input: of the whole product what belongs to it, the same bits.
    void forward_by_head(rows l, index width, rows_view y) const {
        using hooks::site_id;
        split_inputs<Context, T> const inputs{l, shape.heads, shape.kv_heads, width};
        index const first = at == site_id::q ? 0 : at == site_id::k ? shape.heads : shape.heads + shape.kv_heads;
        auto const whole = l.matrix(one_head_buffer, y.extent(1));
        for (index h = 0; h < y.extent(1) / shape.width; ++h) {
            by.forward(l.context(), inputs.part(first + h, 1), whole);
            copy_head<Context, T>(l.context(), whole, h, shape.width, y);
        }
    }
};

}  // namespace plateau::nn
