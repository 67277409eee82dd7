#pragma once
/// RMSNorm and LayerNorm.

#include <plateau/nn/pass.hpp>

namespace plateau::nn {

/// The three hook points of one norm.
struct norm_sites {
    hooks::site_id scale, normalized, out;
};
inline constexpr norm_sites ln1_sites{hooks::site_id::ln1_scale, hooks::site_id::ln1_normalized,
                                      hooks::site_id::ln1_out};
inline constexpr norm_sites ln2_sites{hooks::site_id::ln2_scale, hooks::site_id::ln2_normalized,
                                      hooks::site_id::ln2_out};
inline constexpr norm_sites ln1_post_sites{hooks::site_id::ln1_post_scale, hooks::site_id::ln1_post_normalized,
                                           hooks::site_id::ln1_post_out};
inline constexpr norm_sites ln2_post_sites{hooks::site_id::ln2_post_scale, hooks::site_id::ln2_post_normalized,
                                           hooks::site_id::ln2_post_out};
inline constexpr norm_sites q_norm_sites{hooks::site_id::q_norm_scale, hooks::site_id::q_norm_normalized,
                                         hooks::site_id::q_norm_out};
inline constexpr norm_sites k_norm_sites{hooks::site_id::k_norm_scale, hooks::site_id::k_norm_normalized,
                                         hooks::site_id::k_norm_out};
inline constexpr norm_sites ln_final_sites{hooks::site_id::ln_final_scale, hooks::site_id::ln_final_normalized,
                                           hooks::site_id::ln_final_out};

/// Normalisation of each row, or of each head of it:
///     rms:    y = x / √(mean(x²) + ε) · w            layer:  y = (x − mean(x)) / √(var(x) + ε) · w + b
/// Hook points: the divisor [1], x divided [D] (before the weights), y [D].
/// @see Zhang & Sennrich 2019; Ba et al. 2016
template <class Context, class T>
struct norm {
    norm_kind kind = norm_kind::rms;
    double epsilon = 1e-5;
    typename Context::template buffer<T, 1> weight = {};  ///< [D], or empty for 1
    typename Context::template buffer<T, 1> bias = {};    ///< [D], or empty for 0

    /// @param x,y  [R, heads · D], not overlapping, dense if heads > 1      @param heads  each normalised on its own
    void forward(Context const& ctx, pass<Context, T>& p, int layer, norm_sites const& at,
                 typename pass<Context, T>::const_rows_view x, typename pass<Context, T>::rows_view y,
                 index heads = 1) const {
        using rows_view = typename pass<Context, T>::rows_view;
        auto const by_head = [&](auto const& rows) {
            using view = std::decay_t<decltype(rows)>;
            return heads == 1 ? view{rows} : view{rows.data(), {rows.extent(0) * heads, rows.extent(1) / heads}};
        };
        auto const in = by_head(x);
        rows_view const out = by_head(y);
        if (!p.wanted(at.scale, layer) && !p.wanted(at.normalized, layer)) {
            backend::norm<T>(ctx, kind, in, epsilon, weight, bias, out);
            p.hook(at.out, layer, y, heads);
            return;
        }
        forward_in_steps(ctx, p, layer, at, in, out, y, heads);
    }

    /// @param heads  0 for a norm of whole rows
    static void list(std::vector<hooks::site>& sites, int layer, norm_sites const& at, index width, index heads = 0) {
        auto const axes = heads > 0 ? hooks::site_axes::heads_first : hooks::site_axes::vector;
        index const count = heads > 0 ? heads : 1;
        hooks::add_site(sites, {at.scale, layer, axes, count, 1});
        hooks::add_site(sites, {at.normalized, layer, axes, count, width});
        hooks::add_site(sites, {at.out, layer, axes, count, width});
    }

private:
    /// Where one looks: the same bits, with the steps kept. @param in,out  [R · heads, D]      @param y  out as [R,
    /// heads · D]
    [[gnu::cold, gnu::noinline]] void forward_in_steps(Context const& ctx, pass<Context, T>& p, int layer,
                                                       norm_sites const& at,
                                                       typename pass<Context, T>::const_rows_view in,
                                                       typename pass<Context, T>::rows_view out,
                                                       typename pass<Context, T>::rows_view y, index heads) const {
        using rows_view = typename pass<Context, T>::rows_view;
        auto const scale = p.matrix(slot::scale, heads);
        auto const normalized = p.matrix(slot::normalized, y.extent(1));
        rows_view const divided = heads == 1 ? normalized : rows_view{normalized.data(), in.extents()};
        tensor::view<T, 1, typename Context::space> const scales{scale.data(), {in.extent(0)}};
        if (kind == norm_kind::rms) {
            backend::rms_scale<T>(ctx, in, epsilon, scales);
        } else {
            backend::centre_and_scale<T>(ctx, in, epsilon, divided, scales);
        }
        p.hook(at.scale, layer, scale, heads);
        backend::divide_rows<T>(ctx, kind == norm_kind::rms ? in : divided, scales, divided);
        p.hook(at.normalized, layer, normalized, heads);
        backend::affine<T>(ctx, divided, weight, bias, out);
        p.hook(at.out, layer, y, heads);
    }
};

}  // namespace plateau::nn
