#pragma once
/// Attention on the device in three steps, for hooks that want to see or change what stands between them. Together they
/// are prefix_attention within a few roundings; a row has the same bits in whatever segment it stands.

#include <span>
#include <type_traits>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>

namespace plateau::backend {

/// scores[r, h, j] = scale · ⟨q_{r,h}, k_{j, h / (H / KV)}⟩, capped if there is a cap, for every key j that row r sees;
/// −inf for the others. Rows of no segment are left as they are.
/// @param q  [R, H · E]      @param keys  [R, KV · E], the rows' own      @param scores  [R, H, K]
/// @throws shape_error on extents that do not fit, or more keys than K
template <DeviceElement T>
void attention_scores(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<device_view<T const, 2>> q,
                      std::type_identity_t<device_view<T const, 2>> keys,
                      std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                      device_view<T, 3> scores);

/// Softmax over the keys that each row sees, in place; 0 for the others. Exponentials in T, their sum in double.
/// @param scores  [R, H, K]      @throws shape_error
template <DeviceElement T>
void attention_softmax(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                       std::type_identity_t<std::span<segment<T, device_space> const>> segments,
                       device_view<T, 3> scores);

/// z[r, h] = Σ_j pattern[r, h, j] · v_{j, h / (H / KV)}, summed in the order of the keys up to the row's own.
/// @param pattern  [R, H, K]      @param values  [R, KV · E], the rows' own      @param z  [R, H · E]      @throws
/// shape_error
template <DeviceElement T>
void attention_mix(cuda_context const& ctx, std::type_identity_t<attention_shape<T>> const& shape,
                   std::type_identity_t<device_view<T const, 3>> pattern,
                   std::type_identity_t<device_view<T const, 2>> values,
                   std::type_identity_t<std::span<segment<T, device_space> const>> segments, device_view<T, 2> z);

}  // namespace plateau::backend
