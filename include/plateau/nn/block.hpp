#pragma once
/// A transformer block, composed from its parts.

#include <concepts>

#include <plateau/nn/attention.hpp>
#include <plateau/nn/mlp.hpp>
#include <plateau/nn/norm.hpp>

namespace plateau::nn {

/// In which order a block adds its parts to the residual stream.
enum class order : std::uint8_t {
    pre_norm,  ///< x += attention(norm1(x));  x += mlp(norm2(x))
    parallel,  ///< x += attention(norm1(x)) + mlp(norm2(x)), both from the same x
};

/// One block over the residual stream [R, D]. The parts are any types with the calls used here, so a block of your own is
/// one more part, not one more block. Contract of the hook points, for any parts:
///     pre_norm:  resid_pre + attn_out = resid_mid,  resid_mid + mlp_out = resid_post
///     parallel:  (resid_pre + attn_out) + mlp_out = resid_post, and there is no resid_mid
template <class Norm, class Attention, class Mlp, order Order = order::pre_norm>
struct block {
    Norm norm1, norm2;
    Attention attend;
    Mlp feed_forward;

    /// Moves the residual rows of `p` through the block. @param width  D
    template <class Context, class T>
    void forward(Context const& ctx, pass<Context, T>& p, int layer, index width) const {
        using hooks::site_id;
        auto const x = p.residual(width);
        auto const normed = p.matrix(slot::normed, width);
        p.hook(site_id::resid_pre, layer, x);
        norm1.forward(ctx, p, layer, ln1_sites, x, normed);
        if constexpr (Order == order::pre_norm) {
            add(ctx, p, layer, attend, site_id::attn_out, normed, x);
            p.hook(site_id::resid_mid, layer, x);
            norm2.forward(ctx, p, layer, ln2_sites, x, normed);
        } else {
            auto const delta = p.matrix(slot::delta, width);
            attend.forward(ctx, p, layer, normed, delta);
            p.hook(site_id::attn_out, layer, delta);
            norm2.forward(ctx, p, layer, ln2_sites, x, normed);
            backend::add<T>(ctx, delta, x);
        }
        add(ctx, p, layer, feed_forward, site_id::mlp_out, normed, x);
        p.hook(site_id::resid_post, layer, x);
    }

    /// Records the keys and values of this block and leaves the residual stream as it is: what the prefix needs of the
    /// last layer.
    template <class Context, class T>
    void record_keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, index width) const {
        auto const normed = p.matrix(slot::normed, width);
        norm1.forward(ctx, p, layer, ln1_sites, p.residual(width), normed);
        attend.keys_and_values(ctx, p, layer, normed);
    }

    /// Appends the hook points of this block in firing order.
    [[gnu::cold]] void list(std::vector<hooks::site>& sites, int layer, index width) const {
        auto const vector = [&](hooks::site_id id) {
            hooks::add_site(sites, {id, layer, hooks::site_axes::vector, 1, width});
        };
        vector(hooks::site_id::resid_pre);
        norm1.list(sites, layer, ln1_sites, width);
        attend.list(sites, layer);
        vector(hooks::site_id::attn_out);
        if constexpr (Order == order::pre_norm) vector(hooks::site_id::resid_mid);
        norm2.list(sites, layer, ln2_sites, width);
        feed_forward.list(sites, layer);
        vector(hooks::site_id::mlp_out);
        vector(hooks::site_id::resid_post);
    }

    index kv_width() const { return attend.kv_width(); }

private:
    /// x += part(normed). A part that can add does so itself, unless somebody wants to see what it adds.
    template <class Context, class T, class Part, class Rows>
    void add(Context const& ctx, pass<Context, T>& p, int layer, Part const& part, hooks::site_id at, Rows normed, Rows x) const {
        if constexpr (requires { part.forward(ctx, p, layer, normed, x, backend::accumulate::yes); }) {
            if (!p.wanted(at, layer)) return part.forward(ctx, p, layer, normed, x, backend::accumulate::yes);
        }
        auto const delta = p.matrix(slot::delta, x.extent(1));
        part.forward(ctx, p, layer, normed, delta);
        p.hook(at, layer, delta);
        backend::add<T>(ctx, delta, x);
    }
};

}  // namespace plateau::nn
