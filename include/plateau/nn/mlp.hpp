#pragma once
/// The feed-forward part of a block, plain or gated.

#include <plateau/nn/linear.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::nn {

/// Feed-forward network:
///     plain:  out = act(x W_inᵀ + b_in) W_outᵀ + b_out
///     gated:  out = (act(x W_gateᵀ + b_gate) · (x W_inᵀ + b_in)) W_outᵀ + b_out
/// each bias if it is there.
/// Hook points [F]: mlp.hook_pre (the argument of act), mlp.hook_pre_linear (gated only: the other factor),
/// mlp.hook_post.
/// @see Shazeer 2020, "GLU variants improve transformer"
template <class Context, class T>
struct mlp {
    using rows_view = typename pass<Context, T>::rows_view;
    using const_rows_view = typename pass<Context, T>::const_rows_view;

    activation act = activation::silu;
    bool gated = false;
    linear<Context, T> gate = {};  ///< [F, D], gated only
    linear<Context, T> in = {};    ///< [F, D]
    linear<Context, T> out = {};   ///< [D, F]

    /// @param x  [R, D]      @param y  [R, D], overwritten or added to
    void forward(Context const& ctx, pass<Context, T>& p, int layer, const_rows_view x, rows_view y,
                 backend::accumulate sum = backend::accumulate::no) const {
        using hooks::site_id;
        auto const post = p.matrix(slot::mlp_post, in.weight.outputs());
        if (p.wanted(site_id::mlp_pre, layer) || p.wanted(site_id::mlp_pre_linear, layer)) {
            activate_in_steps(ctx, p, layer, x, post);
        } else {
            auto const first = (gated ? gate : in).parameters(), factor = in.parameters();
            backend::linear_activate<T>(ctx, act, x, first, gated ? &factor : nullptr, post);
        }
        p.hook(site_id::mlp_post, layer, post);
        out.forward(ctx, post, y, sum);
    }

    /// Calls f(slot, width) for the work matrices of a pass that nobody looks at.
    template <class F>
    void each_work_matrix(F&& f) const {
        f(slot::mlp_post, in.weight.outputs());
    }

    [[gnu::cold]] void list(std::vector<hooks::site>& sites, int layer) const {
        index const width = in.weight.outputs();
        hooks::add_site(sites, {hooks::site_id::mlp_pre, layer, hooks::site_axes::vector, 1, width});
        if (gated) hooks::add_site(sites, {hooks::site_id::mlp_pre_linear, layer, hooks::site_axes::vector, 1, width});
        hooks::add_site(sites, {hooks::site_id::mlp_post, layer, hooks::site_axes::vector, 1, width});
    }

private:
    /// Where one looks: the same bits, with the factors kept.
    [[gnu::cold, gnu::noinline]] void activate_in_steps(Context const& ctx, pass<Context, T>& p, int layer,
                                                        const_rows_view x, rows_view post) const {
        using hooks::site_id;
        index const width = in.weight.outputs();
        auto const pre = p.matrix(slot::mlp_pre, width);
        (gated ? gate : in).forward(ctx, x, pre);
        p.hook(site_id::mlp_pre, layer, pre);
        rows_view factor;
        if (gated) {
            factor = p.matrix(slot::mlp_linear, width);
            in.forward(ctx, x, factor);
            p.hook(site_id::mlp_pre_linear, layer, factor);
        }
        backend::activate<T>(ctx, act, pre, factor, post);
    }
};

}  // namespace plateau::nn
