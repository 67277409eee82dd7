#pragma once
/// Additions, activations, bounds and rotary embedding on rows.

#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// y += x. @param x,y  [R, D]
template <class T>
void add(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x, tensor::view<T, 2> y) {
    ctx.kernels<T>().add_rows({x.data(), x.stride(0)}, y.extent(0), y.extent(1), {y.data(), y.stride(0)});
}

/// The first row that holds something infinite or NaN, or -1. @param x  [R, D]
template <class T>
index first_not_finite(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) {
        if (!kernels.finite_row(x[r].data(), x.extent(1))) return r;
    }
    return -1;
}

template <class T>
index checked_at_once::after_layer(cpu_context const& ctx, int, int, tensor::view<T, 2> x) {
    return first_not_finite<T>(ctx, x);
}

/// cell = first_not_finite(x): what an engine looks at when a pass has ended. @param x  [R, D]      @param cell  [1]
/// @throws shape_error on another cell
template <class T>
void note_not_finite(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
                     std::type_identity_t<tensor::view<index, 1>> cell) {
    tensor::require_extents<1>(cell.extents(), {1}, "the cell for a row that is not finite");
    cell[0] = first_not_finite<T>(ctx, x);
}

/// out = act(x), or act(x) · up for a gated layer.
/// @param x,out  [R, F], may be the same      @param up  [R, F], or empty for a plain layer
template <class T>
void activate(cpu_context const& ctx, activation kind, std::type_identity_t<tensor::view<T const, 2>> x,
              std::type_identity_t<tensor::view<T const, 2>> up, tensor::view<T, 2> out) {
    ctx.kernels<T>().activate_rows(kind, {x.data(), x.stride(0)}, {up.data(), up.stride(0)}, x.extent(0), x.extent(1),
                                   {out.data(), out.stride(0)});
}

/// x = x · factor. @param x  [R, D], in place
template <class T>
void scale(cpu_context const& ctx, tensor::view<T, 2> x, T factor) {
    for (index r = 0; r < x.extent(0); ++r) ctx.kernels<T>().scale_row(x[r].data(), x.extent(1), factor);
}

/// x = bound · tanh(x / bound), a soft-cap. @param x  [R, D], in place      @param bound  positive
template <class T>
void cap(cpu_context const& ctx, tensor::view<T, 2> x, T bound) {
    for (index r = 0; r < x.extent(0); ++r) ctx.kernels<T>().cap_row(x[r].data(), x.extent(1), bound);
}

/// x = min(max(x, −bound), bound); a NaN stays one. @param x  [R, D], in place      @param bound  positive
template <class T>
void clip(cpu_context const&, tensor::view<T, 2> x, T bound) {
    for (index r = 0; r < x.extent(0); ++r) {
        for (T& value : x[r].flat()) value = value > bound ? bound : value < -bound ? -bound : value;
    }
}

/// Rotates the pairs (x_i, x_{i+w/2}) of the first w coordinates of every head by the angle θ_i of its row ("rotate
/// half"):
///     x_i' = x_i cos θ_i − x_{i+w/2} sin θ_i,   x_{i+w/2}' = x_{i+w/2} cos θ_i + x_i sin θ_i
/// @param x  [R, H · E], in place      @param heads  H      @param cosines,sines  [R, w/2], w ≤ E
template <class T>
void rotate(cpu_context const& ctx, tensor::view<T, 2> x, index heads,
            std::type_identity_t<tensor::view<T const, 2>> cosines,
            std::type_identity_t<tensor::view<T const, 2>> sines) {
    auto const& kernels = ctx.kernels<T>();
    index const half = cosines.extent(1), width = x.extent(1) / heads;
    for (index r = 0; r < x.extent(0); ++r) {
        T *const row = x[r].data(), *const end = row + x.extent(1);
        if (width == 2 * half) {
            kernels.rotate_row(row, heads, cosines[r].data(), sines[r].data(), half);
        } else {
            for (T* head = row; head < end; head += width)
                kernels.rotate_row(head, 1, cosines[r].data(), sines[r].data(), half);
        }
    }
}

}  // namespace plateau::backend
