#pragma once
/// Additions, activations, bounds and rotary embedding on rows of the device, with the definitions of the CPU's.

#include <type_traits>

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// y += x. @param x,y  [R, D]; for a bias x is [R, D] with stride 0      @throws shape_error on extents that do not fit
template <DeviceElement T>
void add(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, device_view<T, 2> y);

/// out = act(x), or act(x) · up for a gated layer.
/// @param x,out  [R, F], may be the same      @param up  [R, F], or empty for a plain layer      @throws shape_error
template <DeviceElement T>
void activate(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> x,
              std::type_identity_t<device_view<T const, 2>> up, device_view<T, 2> out);

/// x = x · factor. @param x  [R, D], in place
template <DeviceElement T>
void scale(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> factor);

/// x = bound · tanh(x / bound), a soft-cap. @param x  [R, D], in place      @param bound  positive
template <DeviceElement T>
void cap(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> bound);

/// x = min(max(x, −bound), bound); a NaN stays one. @param x  [R, D], in place      @param bound  positive
template <DeviceElement T>
void clip(cuda_context const& ctx, device_view<T, 2> x, std::type_identity_t<T> bound);

/// The first row that holds something infinite or NaN, or -1; waits for the stream. @param x  [R, D]
template <DeviceElement T>
index first_not_finite(cuda_context const& ctx, device_view<T const, 2> x);

/// cell = the first row that holds something infinite or NaN, or -1; waits for nothing. @param x  [R, D]      @param
/// cell  [1]
/// @throws shape_error on another cell
template <DeviceElement T>
void note_not_finite(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                     device_view<index, 1> cell);

/// Rotates the pairs (x_i, x_{i+w/2}) of the first w coordinates of every head by the angle θ_i of its row ("rotate
/// half"):
///     x_i' = x_i cos θ_i − x_{i+w/2} sin θ_i,   x_{i+w/2}' = x_{i+w/2} cos θ_i + x_i sin θ_i
/// @param x  [R, H · E], in place      @param heads  H      @param cosines,sines  [R, w/2], w ≤ E
/// @throws shape_error on extents that do not fit
template <DeviceElement T>
void rotate(cuda_context const& ctx, device_view<T, 2> x, index heads,
            std::type_identity_t<device_view<T const, 2>> cosines, std::type_identity_t<device_view<T const, 2>> sines);

}  // namespace plateau::backend
