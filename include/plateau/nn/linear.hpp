#pragma once
/// A linear layer with an optional bias.

#include <type_traits>

#include <plateau/backend/backends.hpp>
#include <plateau/nn/transposes.hpp>

namespace plateau::nn {

/// y = x Wᵀ (+ b). The bias is added after the full sum.
template <class Context, class T>
struct linear {
    typename Context::template weight<T> weight;        ///< [N, K]
    typename Context::template buffer<T, 1> bias = {};  ///< [N], or empty

    /// What the operations of a backend take.
    backend::linear_parameters<Context, T> parameters() const { return {weight, bias}; }

    /// @param x  [R, K]      @param y  [R, N], not overlapping x: overwritten, or added to      @throws shape_error
    void forward(Context const& ctx, std::type_identity_t<tensor::view<T const, 2, typename Context::space>> x,
                 tensor::view<T, 2, typename Context::space> y,
                 backend::accumulate sum = backend::accumulate::no) const {
        backend::linear<T>(ctx, x, parameters(), y, sum);
    }

    /// ẏ = ẋ Wᵀ: a tangent knows no bias. As forward().
    void jvp(Context const& ctx, std::type_identity_t<tensor::view<T const, 2, typename Context::space>> dx,
             tensor::view<T, 2, typename Context::space> dy, backend::accumulate sum = backend::accumulate::no) const {
        backend::linear<T>(ctx, dx, {weight, {}}, dy, sum);
    }

    /// gx = g W. @param g  [t, N]      @param gx  [t, K], overwritten or added to
    void vjp(Context const& ctx, transposes<Context, T>& transposed,
             std::type_identity_t<tensor::view<T const, 2, typename Context::space>> g,
             tensor::view<T, 2, typename Context::space> gx, backend::accumulate sum = backend::accumulate::no) const {
        backend::linear<T>(ctx, g, {transposed(weight), {}}, gx, sum);
    }
};

}  // namespace plateau::nn
