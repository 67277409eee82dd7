#pragma once
/// Row normalisation on the device, in the steps and with the definitions of the CPU's.

#include <type_traits>

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::backend {

/// scale[r] = √(mean(x_r²) + ε). Sums in double, in an order that depends on D alone.
/// @param x  [R, D]      @param scale  [R]      @throws shape_error on extents that do not fit
template <DeviceElement T>
void rms_scale(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
               device_view<T, 1> scale);

/// centred_r = x_r − mean(x_r), scale[r] = √(var(x_r) + ε), var by two passes. Sums in double.
/// @param x,centred  [R, D], may be the same      @param scale  [R]      @throws shape_error
template <DeviceElement T>
void centre_and_scale(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
                      device_view<T, 2> centred, device_view<T, 1> scale);

/// out_r = x_r · (1 / scale[r]). @param x,out  [R, D], may be the same      @param scale  [R]      @throws shape_error
template <DeviceElement T>
void divide_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                 std::type_identity_t<device_view<T const, 1>> scale, device_view<T, 2> out);

/// out_r = x_r · weight + bias, rounded once.
/// @param x,out  [R, D], may be the same      @param weight,bias  [D]; an empty weight is 1, an empty bias 0
/// @throws shape_error
template <DeviceElement T>
void affine(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
            std::type_identity_t<device_view<T const, 1>> weight, std::type_identity_t<device_view<T const, 1>> bias,
            device_view<T, 2> out);

/// All steps in one kernel, with the same bits. @param x,out  [R, D], may be the same      @throws shape_error
template <DeviceElement T>
void norm(cuda_context const& ctx, norm_kind kind, std::type_identity_t<device_view<T const, 2>> x, double epsilon,
          std::type_identity_t<device_view<T const, 1>> weight, std::type_identity_t<device_view<T const, 1>> bias,
          device_view<T, 2> out);

}  // namespace plateau::backend
