#pragma once
/// The feed-forward part of a block, plain or gated.

#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/duals.hpp>
#include <plateau/nn/linear.hpp>

namespace plateau::nn {

inline constexpr work_buffer mlp_pre_buffer{"mlp pre"};        ///< [R, F]: the argument of act, where somebody looks
inline constexpr work_buffer mlp_linear_buffer{"mlp linear"};  ///< [R, F]: the other factor, where somebody looks
inline constexpr work_buffer mlp_post_buffer{"mlp post"};      ///< [R, F]: what the last product takes
inline constexpr work_buffer mlp_slope_buffer{"mlp slope"};    ///< [R, F]: what tangents of act's argument become
inline constexpr work_buffer mlp_factor_buffer{"mlp factor"};  ///< [R, F]: the gate

/// Feed-forward network:
///     plain:  out = act(x W_inᵀ + b_in) W_outᵀ + b_out
///     gated:  out = (act(x W_gateᵀ + b_gate) · (x W_inᵀ + b_in)) W_outᵀ + b_out
/// each bias if it is there.
/// Hook points [F]: mlp.hook_pre (the argument of act), mlp.hook_pre_linear (gated only: the other factor),
/// mlp.hook_post.
/// @see Shazeer 2020, "GLU variants improve transformer"
template <class Context, class T>
struct mlp {
    using rows = layer_rows<Context, T>;
    using rows_view = typename rows::rows_view;
    using const_rows_view = typename rows::const_rows_view;

    activation act = activation::silu;
    bool gated = false;
    linear<Context, T> gate = {};  ///< [F, D], gated only
    linear<Context, T> in = {};    ///< [F, D]
    linear<Context, T> out = {};   ///< [D, F]

    /// @param x  [R, D]      @param y  [R, D], overwritten or added to
    PLATEAU_INLINE void forward(rows l, const_rows_view x, rows_view y,
                                backend::accumulate sum = backend::accumulate::no) const {
        using hooks::site_id;
        auto const post = l.matrix(mlp_post_buffer, in.weight.outputs());
        if (l.wanted(site_id::mlp_pre) || l.wanted(site_id::mlp_pre_linear) || l.pass.has_tangents()) {
            activate_in_steps(l, x, post);
        } else {
            auto const first = (gated ? gate : in).parameters(), factor = in.parameters();
            backend::linear_activate<T>(l.context(), act, x, first, gated ? &factor : nullptr, post);
        }
        l.hook(site_id::mlp_post, post);
        out.forward(l.context(), post, y, sum);
    }

    /// y = forward(x) and its tangents, through act's own derivative (at the kink of relu 0, as PyTorch has it):
    ///     ȧ = act'(z) ż · u + act(z) u̇ of a gated layer, act'(z) ż of a plain one;   ẏ = ȧ W_outᵀ
    /// Frozen gates stand still: ȧ = act(z) u̇, or act(z)/z · ż.
    void jvp(layer_duals<Context, T> l, dual<rows_view> x, dual<rows_view> y) const {
        using hooks::site_id;
        auto const& ctx = l.context();
        index const width = in.weight.outputs();
        auto const pre = l.matrix(mlp_pre_buffer, width), post = l.matrix(mlp_post_buffer, width);
        (gated ? gate : in).forward(ctx, x.value, pre.value);
        (gated ? gate : in).jvp(ctx, x.tangent, pre.tangent);
        l.hook(site_id::mlp_pre, pre);
        dual<rows_view> factor{};
        if (gated) {
            factor = l.matrix(mlp_linear_buffer, width);
            in.forward(ctx, x.value, factor.value);
            in.jvp(ctx, x.tangent, factor.tangent);
            l.hook(site_id::mlp_pre_linear, factor);
        }
        auto const slopes = l.value.matrix(mlp_slope_buffer, width), gates = l.value.matrix(mlp_factor_buffer, width);
        backend::activate<T>(ctx, act, pre.value, factor.value, post.value);
        backend::activation_slopes<T>(ctx, act, pre.value, factor.value, slopes, gates);
        backend::activation_tangents<T>(ctx, slopes, gates, l.held_gates(), pre.tangent, factor.tangent, post.tangent);
        l.hook(site_id::mlp_post, post);
        out.forward(ctx, post.value, y.value);
        out.jvp(ctx, post.tangent, y.tangent);
    }

    /// gx of x, of whose output g is: ga = g W_out;  gz = act'(z) u ga and gu = act(z) ga of a gated layer, gz =
    /// act'(z) ga of a plain one, frozen gates gz = 0, or act(z)/z ga. The values are those that forward() left.
    void vjp(layer_duals<Context, T> l, rows_view g, rows_view gx) const {
        using hooks::site_id;
        auto const& ctx = l.context();
        index const width = in.weight.outputs();
        auto const pre = l.matrix(mlp_pre_buffer, width), post = l.matrix(mlp_post_buffer, width);
        dual<rows_view> factor{};
        if (gated) factor = l.matrix(mlp_linear_buffer, width);
        out.vjp(ctx, *l.transposes, g, post.tangent);
        l.hook_cotangents(site_id::mlp_post, post.tangent);
        // in the places of what they are made of, which nobody needs any more
        auto const slopes = pre.value, gates = gated ? factor.value : post.value;
        backend::activation_slopes<T>(ctx, act, pre.value, factor.value, slopes, gates);
        backend::activation_cotangents<T>(ctx, slopes, gates, l.held_gates(), post.tangent, factor.tangent,
                                          pre.tangent);
        if (gated) l.hook_cotangents(site_id::mlp_pre_linear, factor.tangent);
        l.hook_cotangents(site_id::mlp_pre, pre.tangent);
        (gated ? gate : in).vjp(ctx, *l.transposes, pre.tangent, gx);
        if (gated) in.vjp(ctx, *l.transposes, factor.tangent, gx, backend::accumulate::yes);
    }

    /// Calls f(name, width) for the work matrices that nobody looks at.
    template <class F>
    void each_work_matrix(F&& f) const {
        f(mlp_post_buffer, in.weight.outputs());
    }

    void list(std::vector<hooks::site>& sites, int layer) const {
        index const width = in.weight.outputs();
        hooks::add_site(sites, {hooks::site_id::mlp_pre, layer, hooks::site_axes::vector, 1, width});
        if (gated) hooks::add_site(sites, {hooks::site_id::mlp_pre_linear, layer, hooks::site_axes::vector, 1, width});
        hooks::add_site(sites, {hooks::site_id::mlp_post, layer, hooks::site_axes::vector, 1, width});
    }

private:
    /// Where one looks: the same bits, with the factors kept.
    PLATEAU_INLINE void activate_in_steps(rows l, const_rows_view x, rows_view post) const {
        using hooks::site_id;
        index const width = in.weight.outputs();
        auto const pre = l.matrix(mlp_pre_buffer, width);
        (gated ? gate : in).forward(l.context(), x, pre);
        l.hook(site_id::mlp_pre, pre);
        rows_view factor;
        if (gated) {
            factor = l.matrix(mlp_linear_buffer, width);
            in.forward(l.context(), x, factor);
            l.hook(site_id::mlp_pre_linear, factor);
        }
        backend::activate<T>(l.context(), act, pre, factor, post);
    }
};

}  // namespace plateau::nn
