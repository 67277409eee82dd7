#pragma once
/// Matrix products of the CUDA backend, with the definitions of the CPU's.

#include <span>
#include <type_traits>

#include <plateau/backend/cuda/device_weight.hpp>
#include <plateau/backend/linear_parameters.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// Y = X Wᵀ + b, or Y += X Wᵀ + b. Sums are cuBLASLt's, in double where T is; in float as the context's float_products
/// say, or, where the weight is stored in bfloat16, of inputs rounded to it. After the whole sum comes the bias, then
/// what y held.
///     bf16x3:  x = x₁ + x₂, w = w₁ + w₂, each rounded to bfloat16;  (Σ x₂ w₁ + Σ x₁ w₂) + Σ x₁ w₁
/// What is finite, infinite or NaN in fp32 is that in bf16x3, but for sums within 2⁻¹⁵ of the largest float, and for
/// NaN instead of an infinity where |x w| of finite numbers is beyond 2¹³⁶ (x₂ w₁ or x₁ w₂ may be infinite too, and of
/// the other sign), or w in ∞ · w below 2⁻¹³³.
/// @param x  [R, K]      @param layer  [N, K] and [N]      @param y  [R, N], not overlapping x
/// @post a row of y depends on its row of x (and y) alone, bit for bit: not on R, not on its place (blas.hpp says why)
/// @throws shape_error on extents that do not fit; memory_error, device_error
/// Takes scratch memory of the context, which stays: for x rounded, split or padded, and for the products before
/// something is added to them. None if R is a multiple of 128, K and N are of 8, all rows start at multiples of 16
/// bytes, the products are not of bfloat16, and y is to be overwritten. The first product of an N and K waits for the
/// device, to choose its algorithm.
template <DeviceElement T>
void linear(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
            std::type_identity_t<linear_parameters<cuda_context, T>> const& layer,
            std::type_identity_t<device_view<T, 2>> y, accumulate sum = accumulate::no);

/// Y = act(X Wᵀ + b), or act(X Wᵀ + b) · (X Uᵀ + c) with a factor: the bits of `linear` and `activate`.
/// @param x  [R, K]      @param layer  [N, K] and [N]      @param factor  the same, or null      @param y  [R, N], not
/// overlapping x
/// @throws shape_error on extents that do not fit; memory_error, device_error
template <DeviceElement T>
void linear_activate(cuda_context const& ctx, activation kind, std::type_identity_t<device_view<T const, 2>> x,
                     std::type_identity_t<linear_parameters<cuda_context, T>> const& layer,
                     std::type_identity_t<linear_parameters<cuda_context, T>> const* factor,
                     std::type_identity_t<device_view<T, 2>> y);

/// Outputs [first, first + count) of `linear` alone: y[r, j] = Σ_k x[r, k] W[first + j, k] + b[first + j]. The
/// algorithm goes with `count`: the same outputs of tiles of another size may be rounded otherwise.
/// @param x  [R, K]      @param layer  [N, K] and [N]      @param y  [R, count], not overlapping x
/// @throws shape_error on extents that do not fit, or outputs that are not there; memory_error, device_error
template <DeviceElement T>
void linear_outputs(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                    std::type_identity_t<linear_parameters<cuda_context, T>> const& layer, index first, index count,
                    std::type_identity_t<device_view<T, 2>> y);

/// out_r = row ids[r] of the weight, as it was written: the embedding of tokens. A row of NaN where the weight has no
/// such row.
/// @param ids  [R], on the host      @param out  [R, K]      @throws shape_error on another shape of out; memory_error,
/// device_error
template <DeviceElement T>
void gather_rows(cuda_context const& ctx, device_weight<T> const& weight, std::span<index const> ids,
                 std::type_identity_t<device_view<T, 2>> out);

}  // namespace plateau::backend
