#pragma once
/// Tangents and cotangents on the device, with the definitions of the CPU's.

#include <array>
#include <span>
#include <type_traits>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/tangent_rows.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// Tangents of `norm`: ẏ = (ẋ − x̂ · ⟨x̂, ẋ⟩ / D) · w / s, all centred for a LayerNorm; held: ẏ = ẋ · w / s. Sums in
/// double.
/// @param x  [R, H · D]      @param weight  [D], an empty one is 1      @param dx,dy  [t, H · D], not overlapping
/// @throws shape_error on extents that do not fit
template <DeviceElement T>
void norm_tangents(cuda_context const& ctx, norm_kind kind, std::type_identity_t<device_view<T const, 2>> x,
                   index heads, double epsilon, std::type_identity_t<device_view<T const, 1>> weight,
                   tangents_of const& of, std::type_identity_t<device_view<T const, 2>> dx, device_view<T, 2> dy);

/// Cotangents of `norm` behind its weights: the derivative of x̂ is symmetric. @see norm_tangents
template <DeviceElement T>
void norm_cotangents(cuda_context const& ctx, norm_kind kind, std::type_identity_t<device_view<T const, 2>> x,
                     index heads, double epsilon, tangents_of const& of,
                     std::type_identity_t<device_view<T const, 2>> g, device_view<T, 2> gx) {
    norm_tangents<T>(ctx, kind, x, heads, epsilon, {}, of, g, gx);
}

/// With act(z) = z · g(z): slope = act'(z), factor = g(z); of a gated layer slope = act'(z) · up, factor = act(z).
/// @param z  [R, F]      @param up  [R, F], or empty      @param slope,factor  [R, F]; may be z and up
template <DeviceElement T>
void activation_slopes(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> z,
                       std::type_identity_t<device_view<T const, 2>> up, device_view<T, 2> slope,
                       device_view<T, 2> factor);

/// ẏ = slope · ż (+ factor · u̇p); held: ẏ = factor · ż, or factor · u̇p of a gated layer.
/// @param slope,factor  [R, F]      @param dz,dy  [t, F], may be the same      @param dup  [t, F], or empty
template <DeviceElement T>
void activation_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> slope,
                         std::type_identity_t<device_view<T const, 2>> factor, tangents_of const& of,
                         std::type_identity_t<device_view<T const, 2>> dz,
                         std::type_identity_t<device_view<T const, 2>> dup, device_view<T, 2> dy);

/// gz = slope · g, gup = factor · g of a gated layer; held: gz = 0, or factor · g of a plain layer.
/// @param slope,factor  [R, F]      @param g,gz  [t, F], may be the same      @param gup  [t, F], or empty; not g
template <DeviceElement T>
void activation_cotangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> slope,
                           std::type_identity_t<device_view<T const, 2>> factor, tangents_of const& of,
                           std::type_identity_t<device_view<T const, 2>> g, device_view<T, 2> gup,
                           device_view<T, 2> gz);

/// Tangents of `clip`, in place: 0 where the value lies beyond the bound.
/// @param x  [R, D], before it is clipped      @param dx  [t, D]
template <DeviceElement T>
void clip_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                   std::type_identity_t<T> bound, tangents_of const& of, device_view<T, 2> dx);

/// Tangents of `cap`, in place: ẋ · (1 − (y / bound)²). @param y  [R, D], capped      @param dx  [t, D]
template <DeviceElement T>
void cap_tangents(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> y,
                  std::type_identity_t<T> bound, tangents_of const& of, device_view<T, 2> dx);

/// Tangents of attention behind a prefix that stands still: ż = Ṗ V + P V̇, Ṗ = P (ṡ − Σ P ṡ), 0 where it is held.
/// Patterns are formed in three steps. @see attention_scores
/// @param own       q, keys, values of the rows      @param tangents  the same of the tangents, [t, …]
/// @param segments  of the tangents: each has the rows of one segment of the values      @param dz  [t, H · E]
/// @throws shape_error on extents that do not fit
template <DeviceElement T>
void attention_tangents(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                        std::type_identity_t<attention_rows<T, device_space>> const& own,
                        std::type_identity_t<attention_rows<T, device_space>> const& tangents, tangents_of const& of,
                        std::type_identity_t<std::span<segment<T, device_space> const>> segments, device_view<T, 2> dz);

/// Cotangents of the same: gP_j = ⟨gz, v_j⟩, gs = P (gP − Σ P gP), 0 where it is held, gq = Σ gs_j k_j, and of own keys
/// gk_j = Σ gs_j q, gv_j = Σ P_j gz over the heads that share them and the rows that see them.
/// @param gz  [t, H · E]      @param g  gq, gk and gv, overwritten      @throws shape_error on extents that do not fit
template <DeviceElement T>
void attention_cotangents(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                          std::type_identity_t<attention_rows<T, device_space>> const& own, tangents_of const& of,
                          std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                          std::type_identity_t<device_view<T const, 2>> gz,
                          std::type_identity_t<std::array<device_view<T, 2>, 3>> const& g);

}  // namespace plateau::backend
