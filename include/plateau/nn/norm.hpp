#pragma once
/// RMSNorm and LayerNorm.

#include <optional>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/divisor_tangents.hpp>

namespace plateau::nn {

inline constexpr work_buffer norm_divisors{"norm divisors"};    ///< [R, heads]
inline constexpr work_buffer norm_cotangent{"norm cotangent"};  ///< [t, heads · D], before the weights
inline constexpr work_buffer norm_divided{"norm divided"};  ///< [R, heads · D]: x over its divisor, before the weights

/// The three hook points of one norm.
struct norm_sites {
    hooks::site_id scale, normalized, out;
};

/// The hook points of the norm whose first one is `scale`: they follow each other.
constexpr norm_sites norm_sites_from(hooks::site_id scale) {
    auto const next = [&](int by) { return static_cast<hooks::site_id>(static_cast<int>(scale) + by); };
    return {scale, next(1), next(2)};
}

/// Normalisation of each row, or of each head of it:
///     rms:    y = x / √(mean(x²) + ε) · w            layer:  y = (x − mean(x)) / √(var(x) + ε) · w + b
/// Hook points: the divisor [1], x divided [D] (before the weights), y [D].
/// @see Zhang & Sennrich 2019; Ba et al. 2016
template <class Context, class T>
struct norm {
    using rows = layer_rows<Context, T>;
    using rows_view = typename rows::rows_view;
    using const_rows_view = typename rows::const_rows_view;

    norm_kind kind = norm_kind::rms;
    double epsilon = 1e-5;
    typename Context::template buffer<T, 1> weight =
        {};                                             ///< [D], or empty for 1; [heads · D]: each head's own, no bias
    typename Context::template buffer<T, 1> bias = {};  ///< [D], or empty for 0

    /// @param x,y  [R, heads · D], not overlapping, dense if heads > 1      @param heads  each normalised on its own
    PLATEAU_INLINE void forward(rows l, norm_sites at, const_rows_view x, rows_view y, index heads = 1) const {
        if (l.wanted(at.scale) || l.wanted(at.normalized)) return forward_in_steps(l, at, x, y, heads);
        tensor::view<T const, 1, typename Context::space> gain = weight;
        bool const own = own_weights(y, heads);
        if (own) gain = {};
        backend::norm<T>(l.context(), kind, by_head(x, heads), epsilon, gain, bias, by_head(y, heads));
        if (own) backend::affine<T>(l.context(), y, weight, {}, y);
        l.hook(at.out, y, heads);
    }

    /// y = norm(x) and its tangents, in which the divisors move along unless their site is frozen:
    ///     ẏ = (ẋ − x̂ ⟨x̂, ẋ⟩ / D) · w / s,   x̂ = x / s, all centred for a LayerNorm;   frozen:  ẏ = ẋ · w / s
    void jvp(layer_duals<Context, T> l, norm_sites at, dual<rows_view> x, dual<rows_view> y, index heads = 1) const {
        forward(l.value, at, x.value, y.value, heads);
        tangents(l, at, x, y.tangent, heads);
    }
    /// The tangents alone, where the values are there already.
    void tangents(layer_duals<Context, T> l, norm_sites at, dual<rows_view> x, rows_view dy, index heads = 1) const {
        auto const& ctx = l.context();
        bool const in_steps = l.touched(at.normalized) || own_weights(dy, heads);
        tensor::view<T const, 1, typename Context::space> gain = weight;
        if (in_steps) gain = {};
        backend::norm_tangents<T>(ctx, kind, x.value, heads, epsilon, gain, l.held(at.scale), x.tangent, dy);
        if (divisors::wanted(l, at.scale)) {
            auto const factors = backend::to_host(ctx, weight);
            tensor::view<T const, 1> on_host = factors;
            if (in_steps) on_host = {};
            divisors{l, at.scale, kind, epsilon, x.value, heads}.tangents(on_host, x.tangent, dy);
        }
        if (in_steps) {
            l.hook_tangents(at.normalized, dy, heads);
            backend::affine<T>(ctx, by_weights(dy, heads), weight, {}, by_weights(dy, heads));
        }
        l.hook_tangents(at.out, dy, heads);
    }

    /// gx of x, of whose norm g is: behind the weights gx = (g − x̂ ⟨x̂, g⟩ / D) / s, all centred for a LayerNorm;
    /// frozen divisors: gx = g / s. @param x  [R, heads · D]      @param g,gx  [t, heads · D]
    void vjp(layer_duals<Context, T> l, norm_sites at, rows_view x, rows_view g, rows_view gx, index heads = 1) const {
        l.hook_cotangents(at.out, g, heads);
        auto const inner = l.tangent.matrix(norm_cotangent, g.extent(1));
        backend::affine<T>(l.context(), by_weights(g, heads), weight, {}, by_weights(inner, heads));
        l.hook_cotangents(at.normalized, inner, heads);
        backend::norm_cotangents<T>(l.context(), kind, x, heads, epsilon, l.held(at.scale), inner, gx);
        if (divisors::wanted(l, at.scale)) divisors{l, at.scale, kind, epsilon, x, heads}.cotangents(inner, gx);
    }

    /// @param heads  0 for a norm of whole rows
    static void list(std::vector<hooks::site>& sites, int layer, norm_sites at, index width, index heads = 0) {
        auto const axes = heads > 0 ? hooks::site_axes::heads_first : hooks::site_axes::vector;
        index const count = heads > 0 ? heads : 1;
        hooks::add_site(sites, {at.scale, layer, axes, count, 1});
        hooks::add_site(sites, {at.normalized, layer, axes, count, width});
        hooks::add_site(sites, {at.out, layer, axes, count, width});
    }

private:
    using divisors = divisor_tangents<Context, T>;

    /// Rows of single heads, [R · heads, D].
    template <class View>
    static View by_head(View const& x, index heads) {
        return heads == 1 ? x : View{x.data(), {x.extent(0) * heads, x.extent(1) / heads}};
    }

    template <class View>
    bool own_weights(View const& x, index heads) const {
        return heads > 1 && weight.size() == x.extent(1);
    }
    /// Rows as long as the weights.
    template <class View>
    View by_weights(View const& x, index heads) const {
        return own_weights(x, heads) ? x : by_head(x, heads);
    }

    /// Where one looks: the same bits, with the steps kept.
    PLATEAU_INLINE void forward_in_steps(rows l, norm_sites at, const_rows_view x, rows_view y, index heads) const {
        auto const& ctx = l.context();
        auto const by = l.matrix(norm_divisors, heads);
        auto const all_divided = l.matrix(norm_divided, y.extent(1));
        auto const in = by_head(x, heads);
        auto const divided = by_head(all_divided, heads);
        tensor::view<T, 1, typename Context::space> const scales{by.data(), {in.extent(0)}};
        // the divisor √(mean(x²) + ε), or that of x − mean(x), which `divided` then holds
        if (kind == norm_kind::rms) backend::rms_scale<T>(ctx, in, epsilon, scales);
        else backend::centre_and_scale<T>(ctx, in, epsilon, divided, scales);
        keep_divisors(l, at.scale, by, false);
        l.hook(at.scale, by, heads);
        keep_divisors(l, at.scale, by, true);
        // x over the divisor
        backend::divide_rows<T>(ctx, kind == norm_kind::rms ? in : const_rows_view{divided}, scales, divided);
        l.hook(at.normalized, all_divided, heads);
        // · w + b
        backend::affine<T>(ctx, by_weights(all_divided, heads), weight, bias, by_weights(y, heads));
        l.hook(at.out, y, heads);
    }
};

}  // namespace plateau::nn
