#pragma once
/// Tangents of norms and activations: what a small change of a row makes of what comes out.
/// Products, additions and rotations are linear: tangents take those of rows, without biases.

#include <span>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/cpu/scratch.hpp>
#include <plateau/backend/cpu/tangent_kernels.hpp>
#include <plateau/backend/tangent_rows.hpp>

namespace plateau::backend {

/// Tangents of `norm`, each head of a row on its own. With x̂ = x / s, or (x − mean(x)) / s for a LayerNorm, and the
/// same of ẋ without the division:
///     ẏ = (ẋ − x̂ · ⟨x̂, ẋ⟩ / D) · w / s;      held, the divisor s stands still:  ẏ = ẋ · w / s
/// @param x  [R, H · D]      @param weight  [D], an empty one is 1      @param dx,dy  [t, H · D], not overlapping
template <class T>
void norm_tangents(cpu_context const& ctx, norm_kind kind, std::type_identity_t<tensor::view<T const, 2>> x,
                   index heads, double epsilon, std::type_identity_t<tensor::view<T const, 1>> weight,
                   tangents_of const& of, std::type_identity_t<tensor::view<T const, 2>> dx, tensor::view<T, 2> dy) {
    auto const& kernels = ctx.kernels<T>();
    auto const& tangents = tangent_kernels_of<T>(ctx.path());
    index const whole = x.extent(1), width = whole / heads;
    T* const unit = detail::scratch<T>(detail::scratch_use::norm_units, 2 * whole);
    T* const gain = unit + whole;
    for (index t = 0; t < of.count(); ++t) {
        for (index h = 0; h < heads; ++h) {
            T *const u = unit + h * width, *const g = gain + h * width;
            if (t == 0 || of.row(t) != of.row(t - 1)) {  // the value's part, once for all of its tangents
                T const* const from = x[of.row(t)].data() + h * width;
                T scale;
                if (kind == norm_kind::layer) {
                    scale = kernels.centre_row(from, width, epsilon, u);
                    kernels.divide_row(u, width, scale, u);
                } else {
                    scale = kernels.rms_scale_row(from, width, epsilon);
                    kernels.divide_row(from, width, scale, u);
                }
                for (index i = 0; i < width; ++i) g[i] = (weight.size() > 0 ? weight[i] : T{1}) / scale;
            }
            tangents.norm_tangent_row(u, g, dx[t].data() + h * width, width, kind == norm_kind::layer, !of.is_held(t),
                                      dy[t].data() + h * width);
        }
    }
}

/// What tangents of `activate` are multiplied by. With act(z) = z · g(z):
///     slope = act'(z),      factor = g(z)              of a plain layer
///     slope = act'(z) · up, factor = act(z)            of a gated one
/// @param z  [R, F]      @param up  [R, F], or empty      @param slope,factor  [R, F]; may be z and up
template <class T>
void activation_slopes(cpu_context const& ctx, activation kind, std::type_identity_t<tensor::view<T const, 2>> z,
                       std::type_identity_t<tensor::view<T const, 2>> up, tensor::view<T, 2> slope,
                       tensor::view<T, 2> factor) {
    auto const& tangents = tangent_kernels_of<T>(ctx.path());
    for (index r = 0; r < z.extent(0); ++r) {
        tangents.slope_row(kind, z[r].data(), up.size() > 0 ? up[r].data() : nullptr, z.extent(1), slope[r].data(),
                           factor[r].data());
    }
}

/// Tangents of `activate`, from its slopes:
///     ẏ = slope · ż (+ factor · u̇p);      held, the gate stands still:  ẏ = factor · ż, or factor · u̇p of a gated
///     layer
/// @param slope,factor  [R, F]      @param dz,dy  [t, F], may be the same      @param dup  [t, F], or empty
template <class T>
void activation_tangents(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> slope,
                         std::type_identity_t<tensor::view<T const, 2>> factor, tangents_of const& of,
                         std::type_identity_t<tensor::view<T const, 2>> dz,
                         std::type_identity_t<tensor::view<T const, 2>> dup, tensor::view<T, 2> dy) {
    auto const& tangents = tangent_kernels_of<T>(ctx.path());
    index const width = dy.extent(1);
    bool const gated = dup.size() > 0;
    for (index t = 0; t < of.count(); ++t) {
        T const *const along = slope[of.row(t)].data(), *const by = factor[of.row(t)].data();
        T const *const z = dz[t].data(), *const up = gated ? dup[t].data() : nullptr;
        if (of.is_held(t)) tangents.combine_row(by, gated ? up : z, nullptr, nullptr, width, dy[t].data());
        else tangents.combine_row(along, z, gated ? by : nullptr, up, width, dy[t].data());
    }
}

/// Tangents of `clip`, in place: 0 where the value lies beyond the bound.
/// @param x  [R, D], before it is clipped      @param dx  [t, D]
template <class T>
void clip_tangents(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x, T bound, tangents_of const& of,
                   tensor::view<T, 2> dx) {
    for (index t = 0; t < of.count(); ++t) {
        T const* const at = x[of.row(t)].data();
        T* const to = dx[t].data();
        for (index i = 0; i < dx.extent(1); ++i) {
            if (at[i] > bound || at[i] < -bound) to[i] = T{0};
        }
    }
}

/// Tangents of `cap`, in place: ẋ · (1 − (y / bound)²). @param y  [R, D], capped      @param dx  [t, D]
template <class T>
void cap_tangents(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> y, T bound, tangents_of const& of,
                  tensor::view<T, 2> dx) {
    for (index t = 0; t < of.count(); ++t) {
        T const* const at = y[of.row(t)].data();
        T* const to = dx[t].data();
        for (index i = 0; i < dx.extent(1); ++i) to[i] *= T{1} - at[i] / bound * (at[i] / bound);
    }
}

}  // namespace plateau::backend
