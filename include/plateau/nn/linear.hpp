#pragma once
/// A linear layer with an optional bias.

#include <type_traits>

#include <plateau/backend/cpu.hpp>

namespace plateau::nn {

/// y = x Wᵀ (+ b). The bias is added after the full sum.
template <class Context, class T>
struct linear {
    typename Context::template weight<T> weight;              ///< [N, K]
    typename Context::template buffer<T, 1> bias = {};        ///< [N], or empty

    /// @param x  [R, K]      @param y  [R, N], not overlapping x      @throws shape_error
    void forward(Context const& ctx, std::type_identity_t<tensor::view<T const, 2, typename Context::space>> x,
                 tensor::view<T, 2, typename Context::space> y) const {
        backend::linear<T>(ctx, x, weight, y);
        if (bias.size() > 0) backend::add_bias<T>(ctx, bias, y);
    }
};

}  // namespace plateau::nn
