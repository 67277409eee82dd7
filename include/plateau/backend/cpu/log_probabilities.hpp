#pragma once
/// Log-probabilities of given tokens, without storing logits: the unembedding by blocks of tokens.

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/backend/cpu/linear.hpp>
#include <plateau/backend/cpu/logits.hpp>

namespace plateau::backend {

/// log p_r = l_{r, t_r} − log Σ_v e^{l_rv} of the logits l = X Wᵀ + b, or c·tanh(l / c) with
/// a cap c > 0, in nats. Logits have the bits of `linear` and exist for
/// 256 tokens at a time, so that memory does not grow with the vocabulary; sums are in double. A row's result depends
/// on it and its target alone.
/// @param x        [R, D]
/// @param head     W [V, D] and b [V] or nothing
/// @param targets  [R], each in [0, V)
/// @param result   [R], overwritten
/// @throws shape_error on extents that do not fit, or a target outside of the vocabulary
template <class T>
void log_probabilities(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
                       linear_parameters<cpu_context, T> const& head, T cap, std::span<index const> targets,
                       std::span<double> result) {
    auto const& weight = head.weight;
    index const vocabulary = weight.outputs();
    tensor::require_extents(x.extents(), {static_cast<index>(targets.size()), weight.inputs()},
                            "the input of an unembedding");
    tensor::require_extents<1>({static_cast<index>(result.size())}, {x.extent(0)}, "the result of log_probabilities");
    for (index const target : targets) {
        if (target >= 0 && target < vocabulary) continue;
        throw shape_error("the target ", target, " lies outside of the vocabulary [0, ", vocabulary, ")");
    }
    auto const& kernels = ctx.kernels<T>();
    using detail::tokens_together;
    detail::for_each_input(kernels, x, weight, [&](index row, detail::linear_input<T> const& input) {
        auto const rows = static_cast<std::size_t>(input.rows()), from = static_cast<std::size_t>(row);
        T* const logits = detail::scratch<T>(detail::scratch_use::products, input.rows() * tokens_together);
        T* const exponentials = detail::scratch<T>(detail::scratch_use::factors, tokens_together);
        std::vector<detail::softmax_state<T>> states(rows);
        std::vector<T> chosen(rows);
        for (index first = 0; first < vocabulary; first += tokens_together) {
            index const count = std::min(tokens_together, vocabulary - first);
            detail::some_logits(kernels, input, head, cap, first, count, logits);
            for (std::size_t r = 0; r < rows; ++r) {
                T const* const own = logits + static_cast<index>(r) * tokens_together;
                states[r].take(kernels, own, count, exponentials);
                index const target = targets[from + r] - first;
                if (target >= 0 && target < count) chosen[r] = own[target];
            }
        }
        for (std::size_t r = 0; r < rows; ++r)
            result[from + r] = static_cast<double>(chosen[r]) - states[r].log_sum_exp();
    });
}

}  // namespace plateau::backend
