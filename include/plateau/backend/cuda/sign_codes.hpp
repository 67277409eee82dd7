#pragma once
/// Sign codes of rows on the device, with the definitions of the CPU's.

#include <cstdint>
#include <type_traits>

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/sign_codes.hpp>

namespace plateau::backend {

/// Bit i mod 64 of codes(r, i / 64) is 1 where x(r, i) > 0, and 0 where it is not (zeros, NaN) or there is no such i.
/// @param x  [R, N]      @param codes  [R, ⌈N/64⌉]      @throws shape_error on extents that do not fit
template <DeviceElement T>
void sign_codes(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                std::type_identity_t<device_view<std::uint64_t, 2>> codes);

/// distances[r] = the number of bits in which codes_r and others_q differ, q = references[r].
/// @param codes  [R, W]      @param others  [Q, W]      @param references  [R] in [0, Q)      @param distances  [R]
/// @throws shape_error on extents that do not fit
void hamming_distances(cuda_context const& ctx, device_view<std::uint64_t const, 2> codes,
                       device_view<std::uint64_t const, 2> others, device_view<index const, 1> references,
                       device_view<index, 1> distances);

}  // namespace plateau::backend
