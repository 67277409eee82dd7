#pragma once
/// Row normalisation, in the three steps at which one may look: scale, normalised, affine.

#include <type_traits>

#include <plateau/backend/cpu/context.hpp>

namespace plateau::backend {

/// scale[r] = √(mean(x_r²) + ε): the divisor of RMSNorm, TransformerLens' `hook_scale`. Sums in double.
/// @param x  [R, D]      @param scale  [R]
template <class T>
void rms_scale(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x, double epsilon,
               tensor::view<T, 1> scale) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) scale[r] = kernels.rms_scale_row(x[r].data(), x.extent(1), epsilon);
}

/// centred_r = x_r − mean(x_r), scale[r] = √(var(x_r) + ε): the divisor of LayerNorm (two passes). Sums in double.
/// @param x,centred  [R, D]      @param scale  [R]
template <class T>
void centre_and_scale(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x, double epsilon,
                      tensor::view<T, 2> centred, tensor::view<T, 1> scale) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) {
        scale[r] = kernels.centre_row(x[r].data(), x.extent(1), epsilon, centred[r].data());
    }
}

/// out_r = x_r · (1 / scale[r]): one division per row, one rounding more than x_r / scale[r].
/// @param x,out  [R, D], may be the same      @param scale  [R]
template <class T>
void divide_rows(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
                 std::type_identity_t<tensor::view<T const, 1>> scale, tensor::view<T, 2> out) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) kernels.divide_row(x[r].data(), x.extent(1), scale[r], out[r].data());
}

/// out_r = x_r · weight + bias, element by element.
/// @param x,out  [R, D], may be the same      @param weight,bias  [D]; an empty weight is 1, an empty bias 0
template <class T>
void affine(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
            std::type_identity_t<tensor::view<T const, 1>> weight, std::type_identity_t<tensor::view<T const, 1>> bias,
            tensor::view<T, 2> out) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) {
        kernels.affine_row(x[r].data(), x.extent(1), weight.data(), bias.data(), out[r].data());
    }
}

/// All steps at once, with the same bits. @param x,out  [R, D], not overlapping
template <class T>
void norm(cpu_context const& ctx, norm_kind kind, std::type_identity_t<tensor::view<T const, 2>> x, double epsilon,
          std::type_identity_t<tensor::view<T const, 1>> weight, std::type_identity_t<tensor::view<T const, 1>> bias,
          tensor::view<T, 2> out) {
    auto const& kernels = ctx.kernels<T>();
    for (index r = 0; r < x.extent(0); ++r) {
        kernels.norm_row(kind, x[r].data(), x.extent(1), epsilon, weight.data(), bias.data(), out[r].data());
    }
}

}  // namespace plateau::backend
