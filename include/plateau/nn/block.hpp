#pragma once
/// A transformer block, composed from its parts.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/nn/attention.hpp>
#include <plateau/nn/mlp.hpp>
#include <plateau/nn/norm.hpp>

namespace plateau::nn {

/// In which order a block adds its parts to the residual stream.
enum class order : std::uint8_t {
    sequential,  ///< x += attention(x);  x += mlp(x)
    parallel,    ///< x += attention(x) + mlp(x), both of the same x
};

/// One block over the residual stream [R, D]: what attention and MLP add to it, each with a norm before it, after it,
/// on both sides or on none:
///     attention(x) = norm1_post(attend(norm1(x))),   mlp(x) = norm2_post(feed_forward(norm2(x)))
/// In a parallel block an MLP without norms of its own shares norm1. The parts are any types with the calls used here,
/// so a block of your own is one more part, not one more block. Contract of the hook points, for any parts:
///     sequential:  resid_pre + attn_out = resid_mid,  resid_mid + mlp_out = resid_post
///     parallel:    (resid_pre + attn_out) + mlp_out = resid_post, and there is no resid_mid
template <class Norm, class Attention, class Mlp>
struct block {
    std::optional<Norm> norm1 = {}, norm2 = {};
    Attention attend = {};
    Mlp feed_forward = {};
    std::optional<Norm> norm1_post = {}, norm2_post = {};
    nn::order order = nn::order::sequential;

    /// Moves the residual rows of `p` through the block. @param width  D
    template <class Context, class T>
    void forward(Context const& ctx, pass<Context, T>& p, int layer, index width) const {
        using hooks::site_id;
        auto const x = p.residual(width);
        p.hook(site_id::resid_pre, layer, x);
        if constexpr (requires { attend.list_inputs(std::declval<std::vector<hooks::site>&>(), layer, width); }) {
            attend.split(p, layer, x, [&](auto from, auto to) { normalise(ctx, p, layer, from, to); });
        }
        auto normed = before(ctx, p, layer, norm1, ln1_sites, x);
        if (order == nn::order::sequential) {
            add(ctx, p, layer, attend, norm1_post, ln1_post_sites, site_id::attn_out, normed, x);
            p.hook(site_id::resid_mid, layer, x);
            normed = before(ctx, p, layer, norm2, ln2_sites, mlp_in(p, layer, x));
        } else {
            auto const delta = compute(ctx, p, layer, attend, norm1_post, ln1_post_sites, site_id::attn_out, normed);
            if (norm2) normed = before(ctx, p, layer, norm2, ln2_sites, mlp_in(p, layer, x));
            backend::add<T>(ctx, delta, x);
        }
        add(ctx, p, layer, feed_forward, norm2_post, ln2_post_sites, site_id::mlp_out, normed, x);
        p.hook(site_id::resid_post, layer, x);
    }

    /// Records the keys and values of this block and leaves the residual stream as it is: what the prefix needs of the
    /// last layer.
    template <class Context, class T>
    void record_keys_and_values(Context const& ctx, pass<Context, T>& p, int layer, index width) const {
        attend.keys_and_values(ctx, p, layer, before(ctx, p, layer, norm1, ln1_sites, p.residual(width)));
    }

    /// Appends the hook points of this block in firing order.
    [[gnu::cold]] void list(std::vector<hooks::site>& sites, int layer, index width) const {
        auto const vector = [&](hooks::site_id id) {
            hooks::add_site(sites, {id, layer, hooks::site_axes::vector, 1, width});
        };
        auto const norm = [&](std::optional<Norm> const& one, norm_sites const& at) {
            if (one) one->list(sites, layer, at, width);
        };
        vector(hooks::site_id::resid_pre);
        if constexpr (requires { attend.list_inputs(sites, layer, width); }) attend.list_inputs(sites, layer, width);
        norm(norm1, ln1_sites);
        attend.list(sites, layer);
        norm(norm1_post, ln1_post_sites);
        vector(hooks::site_id::attn_out);
        if (order == nn::order::sequential) vector(hooks::site_id::resid_mid);
        if (norm2 || order == nn::order::sequential) vector(hooks::site_id::mlp_in);
        norm(norm2, ln2_sites);
        feed_forward.list(sites, layer);
        norm(norm2_post, ln2_post_sites);
        vector(hooks::site_id::mlp_out);
        vector(hooks::site_id::resid_post);
    }

    /// Calls f(slot, width) for the work matrices of a pass that nobody looks at, as far as its parts tell of theirs.
    /// @param width  D
    template <class F>
    void each_work_matrix(index width, F&& f) const {
        for (auto const which : {slot::residual, slot::normed, slot::delta}) f(which, width);
        if (norm1_post || norm2_post) f(slot::post, width);
        if constexpr (requires { attend.each_work_matrix(f); }) attend.each_work_matrix(f);
        if constexpr (requires { feed_forward.each_work_matrix(f); }) feed_forward.each_work_matrix(f);
    }

    index kv_width() const { return attend.kv_width(); }

private:
    /// What a part reads: x behind its norm, or x itself.
    template <class Context, class T, class Rows>
    [[gnu::noinline]] Rows before(Context const& ctx, pass<Context, T>& p, int layer, std::optional<Norm> const& norm,
                                  norm_sites const& at, Rows x) const {
        if (!norm) return x;
        auto const normed = p.matrix(slot::normed, x.extent(1));
        norm->forward(ctx, p, layer, at, x, normed);
        return normed;
    }

    /// What the attention reads of a copy of x, without its hooks.
    template <class Context, class T, class Rows>
    [[gnu::cold]] void normalise(Context const& ctx, pass<Context, T>& p, int layer, Rows x, Rows to) const {
        if (norm1) return norm1->forward(ctx, p, layer, ln1_sites, x, to);
        backend::copy<T>(ctx, x, to);
    }

    /// x as the MLP alone sees it: a copy, if somebody wants to change it.
    template <class Context, class T, class Rows>
    [[gnu::cold]] Rows mlp_in(pass<Context, T>& p, int layer, Rows x) const {
        if (!p.wanted(hooks::site_id::mlp_in, layer)) return x;
        auto const copy = p.matrix(slot::copies, x.extent(1));
        backend::copy<T>(p.context(), x, copy);
        p.hook(hooks::site_id::mlp_in, layer, copy);
        return copy;
    }

    /// What a part adds to the residual stream.
    template <class Context, class T, class Part, class Rows>
    [[gnu::noinline]] Rows compute(Context const& ctx, pass<Context, T>& p, int layer, Part const& part,
                                   std::optional<Norm> const& norm, norm_sites const& norm_at, hooks::site_id at,
                                   Rows normed) const {
        auto delta = p.matrix(slot::delta, normed.extent(1));
        part.forward(ctx, p, layer, normed, delta);
        if (norm) {
            auto const out = p.matrix(slot::post, normed.extent(1));
            norm->forward(ctx, p, layer, norm_at, delta, out);
            delta = out;
        }
        p.hook(at, layer, delta);
        return delta;
    }

    /// x += part(normed). A part that can add does so itself, unless somebody wants to see what it adds.
    template <class Context, class T, class Part, class Rows>
    [[gnu::noinline]] void add(Context const& ctx, pass<Context, T>& p, int layer, Part const& part,
                               std::optional<Norm> const& norm, norm_sites const& norm_at, hooks::site_id at,
                               Rows normed, Rows x) const {
        if constexpr (requires { part.forward(ctx, p, layer, normed, x, backend::accumulate::yes); }) {
            if (!norm && !p.wanted(at, layer)) return part.forward(ctx, p, layer, normed, x, backend::accumulate::yes);
        }
        backend::add<T>(ctx, compute(ctx, p, layer, part, norm, norm_at, at, normed), x);
    }
};

}  // namespace plateau::nn
