#pragma once
/// Multi-head attention with grouped keys and values.

#include <memory>

#include <plateau/nn/linear.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::nn {

/// Causal attention; H query heads share KV heads of keys and values, E wide:
///     z_h = softmax(scale · q_h Kᵀ) V,   out = concat(z) Wᵒᵀ (+ bᵒ)
/// with q and k rotated by their positions if there is a `rotary`.
/// Hook points in order: q, k, v (after bias), rot_q, rot_k, attn_scores, pattern, z.
template <class Context, class T>
struct attention {
    using rows_view = typename pass<Context, T>::rows_view;
    using const_rows_view = typename pass<Context, T>::const_rows_view;

    backend::attention_shape<T> shape{};
    linear<Context, T> query;                ///< [H · E, D]
    linear<Context, T> key;                  ///< [KV · E, D]
    linear<Context, T> value;                ///< [KV · E, D]
    linear<Context, T> output;               ///< [D, H · E]
    std::shared_ptr<rope const> rotary = {};  ///< null without rotary embedding

    /// @param x  [R, D]      @param out  [R, D], overwritten or added to
    void forward(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x, rows_view out,
                 backend::accumulate sum = backend::accumulate::no) const {
        using hooks::site_id;
        auto const q = p.matrix(slot::q, shape.heads * shape.width);
        query.forward(ctx, x, q);
        p.hook(site_id::q, layer, q, shape.heads);
        keys_and_values(ctx, p, layer, x, q);
        auto const k = p.matrix(slot::k, shape.kv_heads * shape.width);
        auto const v = p.matrix(slot::v, shape.kv_heads * shape.width);
        auto const z = p.matrix(slot::z, shape.heads * shape.width);
        auto const segments = p.segments(layer);
        if (p.wanted(site_id::attn_scores, layer) || p.wanted(site_id::pattern, layer)) {
            index const keys = p.keys();
            auto const flat = p.matrix(slot::scores, shape.heads * keys);
            tensor::view<T, 3, typename Context::space> const scores{flat.data(), {p.rows(), shape.heads, keys}};
            backend::attention_scores<T>(ctx, shape, q, k, segments, scores);
            p.hook(site_id::attn_scores, layer, flat, shape.heads);
            backend::attention_softmax<T>(ctx, segments, scores);
            p.hook(site_id::pattern, layer, flat, shape.heads);
            backend::attention_mix<T>(ctx, shape, scores, v, segments, z);
        } else {
            backend::prefix_attention<T>(ctx, shape, q, k, v, segments, z);
        }
        p.hook(site_id::z, layer, z, shape.heads);
        output.forward(ctx, z, out, sum);
    }

    /// Computes and records keys and values alone: all that a later row needs of the last layer.
    void keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x) const {
        keys_and_values(ctx, p, layer, x, {});
    }

    [[gnu::cold]] void list(std::vector<hooks::site>& sites, int layer) const {
        using hooks::site_axes;
        using hooks::site_id;
        index const h = shape.heads, kv = shape.kv_heads, e = shape.width;
        hooks::add_site(sites, {site_id::q, layer, site_axes::heads, h, e});
        hooks::add_site(sites, {site_id::k, layer, site_axes::heads, kv, e});
        hooks::add_site(sites, {site_id::v, layer, site_axes::heads, kv, e});
        if (rotary) {
            hooks::add_site(sites, {site_id::rot_q, layer, site_axes::heads, h, e});
            hooks::add_site(sites, {site_id::rot_k, layer, site_axes::heads, kv, e});
        }
        hooks::add_site(sites, {site_id::attn_scores, layer, site_axes::keys, h, 0});
        hooks::add_site(sites, {site_id::pattern, layer, site_axes::keys, h, 0});
        hooks::add_site(sites, {site_id::z, layer, site_axes::heads, h, e});
    }

    index kv_width() const { return shape.kv_heads * shape.width; }

private:
    /// Rotates q too, if it is not empty.
    void keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x, rows_view q) const {
        using hooks::site_id;
        auto const k = p.matrix(slot::k, kv_width());
        auto const v = p.matrix(slot::v, kv_width());
        key.forward(ctx, x, k);
        p.hook(site_id::k, layer, k, shape.kv_heads);
        value.forward(ctx, x, v);
        p.hook(site_id::v, layer, v, shape.kv_heads);
        if (rotary) {
            auto const [cosines, sines] = p.angles(*rotary);
            if (q.data() != nullptr) {
                backend::rotate<T>(ctx, q, cosines, sines);
                p.hook(site_id::rot_q, layer, q, shape.heads);
            }
            backend::rotate<T>(ctx, k, cosines, sines);
            p.hook(site_id::rot_k, layer, k, shape.kv_heads);
        }
        p.record(layer, k, v);
    }
};

}  // namespace plateau::nn
