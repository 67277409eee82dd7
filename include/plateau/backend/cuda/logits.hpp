#pragma once
/// Log-sum-exp, KL and top-k of logits on the device, without storing them: with the CPU's definitions.

#include <cstddef>
#include <span>
#include <type_traits>

#include <plateau/backend/cuda/linear.hpp>
#include <plateau/backend/logit_summary.hpp>

namespace plateau::backend {

/// Logits that exist at a time: of `tokens` neighbouring tokens, for as many rows as `bytes` of memory hold. Results
/// depend on `tokens` as far as the roundings of `linear_outputs` do, and on `bytes` not at all.
struct logit_blocks {
    index tokens = 4096;
    std::size_t bytes = std::size_t{256} << 20;
};

/// Summaries, and if asked for the best tokens, of the logits l = X Wᵀ + b, or c·tanh(l / c) with a cap c > 0. Logits
/// have the bits of `linear_outputs` of blocks.tokens tokens; e^{l − max} is formed in T, sums are in double. A row's
/// results depend on it and its reference alone. Waits for the stream.
/// @param x           [R, D]
/// @param head        W [V, D] and b [V] or nothing
/// @param references  [R], on the host: the row that each is compared to, itself or one before it that is its own
/// @param summaries   [R], on the host
/// @param best        [R, k], k ≤ V, on the host: the k largest logits in falling order, of equal ones the smaller
///                    token first; a NaN counts as −∞. Time grows with k
/// @throws shape_error on extents or references that do not fit; memory_error, device_error
/// @post scratch memory of at most twice blocks.bytes, or that of two rows
/// @see Milakov & Gimelshein 2018, algorithm 3
template <DeviceElement T>
void summarise_logits(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                      std::type_identity_t<linear_parameters<cuda_context, T>> const& head, std::type_identity_t<T> cap,
                      std::span<index const> references, std::span<logit_summary> summaries,
                      std::type_identity_t<tensor::view<scored_token<T>, 2>> best, logit_blocks blocks = {});

/// log p_r = l_{r, t_r} − log Σ_v e^{l_rv} of the same logits, in nats. A row's result depends on it and its target
/// alone. Waits for the stream.
/// @param x        [R, D]
/// @param head     W [V, D] and b [V] or nothing
/// @param targets  [R], on the host, each in [0, V)
/// @param result   [R], on the host, overwritten
/// @throws shape_error on extents that do not fit, or a target outside of the vocabulary; memory_error, device_error
template <DeviceElement T>
void log_probabilities(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                       std::type_identity_t<linear_parameters<cuda_context, T>> const& head,
                       std::type_identity_t<T> cap, std::span<index const> targets, std::span<double> result,
                       logit_blocks blocks = {});

}  // namespace plateau::backend
