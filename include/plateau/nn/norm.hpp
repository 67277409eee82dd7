#pragma once
/// RMSNorm and LayerNorm.

#include <plateau/nn/pass.hpp>

namespace plateau::nn {

/// The three hook points of one norm of a block.
struct norm_sites {
    hooks::site_id scale, normalized, out;
};
inline constexpr norm_sites ln1_sites{hooks::site_id::ln1_scale, hooks::site_id::ln1_normalized,
                                      hooks::site_id::ln1_out};
inline constexpr norm_sites ln2_sites{hooks::site_id::ln2_scale, hooks::site_id::ln2_normalized,
                                      hooks::site_id::ln2_out};
inline constexpr norm_sites ln_final_sites{hooks::site_id::ln_final_scale, hooks::site_id::ln_final_normalized,
                                           hooks::site_id::ln_final_out};

/// Normalisation of each row:
///     rms:    y = x / √(mean(x²) + ε) · w            layer:  y = (x − mean(x)) / √(var(x) + ε) · w + b
/// Hook points: the divisor [1], x divided [D] (before the weights), y [D].
/// @see Zhang & Sennrich 2019; Ba et al. 2016
template <class Context, class T>
struct norm {
    norm_kind kind = norm_kind::rms;
    double epsilon = 1e-5;
    typename Context::template buffer<T, 1> weight = {};  ///< [D], or empty for 1
    typename Context::template buffer<T, 1> bias = {};    ///< [D], or empty for 0

    /// @param x,y  [R, D], not overlapping
    void forward(Context const& ctx, pass<Context, T>& p, int layer, norm_sites const& at,
                 typename pass<Context, T>::const_rows_view x, typename pass<Context, T>::rows_view y) const {
        if (!p.wanted(at.scale, layer) && !p.wanted(at.normalized, layer)) {
            backend::norm<T>(ctx, kind, x, epsilon, weight, bias, y);
            p.hook(at.out, layer, y);
            return;
        }
        auto const scale = p.matrix(slot::scale, 1);
        auto const normalized = p.matrix(slot::normalized, x.extent(1));
        tensor::view<T, 1, typename Context::space> const scales{scale.data(), {scale.extent(0)}};
        if (kind == norm_kind::rms) {
            backend::rms_scale<T>(ctx, x, epsilon, scales);
        } else {
            backend::centre_and_scale<T>(ctx, x, epsilon, normalized, scales);
        }
        p.hook(at.scale, layer, scale);
        backend::divide_rows<T>(ctx, kind == norm_kind::rms ? x : normalized, scales, normalized);
        p.hook(at.normalized, layer, normalized);
        backend::affine<T>(ctx, normalized, weight, bias, y);
        p.hook(at.out, layer, y);
    }

    static void list(std::vector<hooks::site>& sites, int layer, norm_sites const& at, index width) {
        hooks::add_site(sites, {at.scale, layer, hooks::site_axes::vector, 1, 1});
        hooks::add_site(sites, {at.normalized, layer, hooks::site_axes::vector, 1, width});
        hooks::add_site(sites, {at.out, layer, hooks::site_axes::vector, 1, width});
    }
};

}  // namespace plateau::nn
