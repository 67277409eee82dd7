#pragma once
/// Log-sum-exp, KL and top-k of logits, without storing them: the unembedding by blocks of tokens.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/backend/cpu/linear.hpp>
#include <plateau/backend/logit_summary.hpp>

namespace plateau::backend {

namespace detail {

/// Tokens whose logits exist at a time.
inline constexpr index tokens_together = 4 * panel_columns;

/// Sums over the tokens seen so far, as multiples of e^largest.
template <class T>
struct softmax_state {
    T largest = -std::numeric_limits<T>::infinity();
    double factor = 1;          ///< what the last change of `largest` multiplied the sums by
    double sum = 0;             ///< Σ e^{l}
    double to_reference = 0;    ///< Σ e^{l} (l − l_ref)
    double from_reference = 0;  ///< Σ e^{l_ref} (l_ref − l), a multiple of the reference's e^largest

    /// Takes the logits of more tokens. @param exponentials  [count], e^{l − largest} of them
    void take(kernel_table<T> const& kernels, T const* logits, index count, T* exponentials) {
        T const top = std::max(largest, kernels.largest(logits, count));
        factor = largest == top ? 1 : std::exp(static_cast<double>(largest) - static_cast<double>(top));
        largest = top;
        sum = sum * factor + kernels.exp_row(logits, count, top, exponentials);
        to_reference *= factor;
    }

    double log_sum_exp() const { return static_cast<double>(largest) + std::log(sum); }
};

/// Logits of the tokens [first, first + count) for the rows of an input, with the bits of `linear`, then capped.
/// @param logits  [rows, tokens_together]
template <class T>
void some_logits(kernel_table<T> const& kernels, linear_input<T> const& input,
                 linear_parameters<cpu_context, T> const& head, T cap, index first, index count, T* logits) {
    for (index column = 0; column < count; column += panel_columns) {
        index const p = (first + column) / panel_columns;
        input.multiply(head.weight, p, {logits + column, tokens_together}, head.weight, p + 1);
    }
    if (head.bias.size() > 0)
        kernels.add_rows({head.bias.data() + first, 0}, input.rows(), count, {logits, tokens_together});
    for (index r = 0; r < input.rows() && cap > 0; ++r) kernels.cap_row(logits + r * tokens_together, count, cap);
}

/// Keeps the best tokens: the largest logit first, of equal ones the smaller token. @param best  what is kept, in order
template <class T>
void keep_best(T const* logits, index first_token, index count, index seen, std::span<scored_token<T>> best) {
    auto filled = std::min(seen, static_cast<index>(best.size()));
    for (index j = 0; j < count; ++j) {
        bool const full = filled == static_cast<index>(best.size());
        if (full && !(logits[j] > best.back().logit)) continue;
        if (!full) ++filled;
        index place = filled - 1;
        for (; place > 0 && logits[j] > best[static_cast<std::size_t>(place - 1)].logit; --place) {
            best[static_cast<std::size_t>(place)] = best[static_cast<std::size_t>(place - 1)];
        }
        best[static_cast<std::size_t>(place)] = {logits[j], first_token + j};
    }
}

}  // namespace detail

/// Summaries, and if asked for the best tokens, of the logits l = X Wᵀ + b, or c·tanh(l / c) with a cap c > 0: of 256
/// tokens at a time, so that memory does not grow with the vocabulary. Logits have the bits of `linear`; a row's
/// results depend on it and its reference alone.
/// @param x           [R, D]
/// @param head        W [V, D] and b [V] or nothing
/// @param references  [R]: the row that each is compared to, itself or one before it that is its own
/// @param summaries   [R]
/// @param best        [R, k], k ≤ V: the k largest logits in falling order, of equal ones the smaller token first
/// @throws shape_error on extents that do not fit
template <class T>
void summarise_logits(cpu_context const& ctx, std::type_identity_t<tensor::view<T const, 2>> x,
                      linear_parameters<cpu_context, T> const& head, T cap, std::span<index const> references,
                      std::span<logit_summary> summaries, std::type_identity_t<tensor::view<scored_token<T>, 2>> best) {
    auto const& weight = head.weight;
    index const rows = x.extent(0), vocabulary = weight.outputs();
    tensor::require_extents(x.extents(), {static_cast<index>(references.size()), weight.inputs()},
                            "the input of an unembedding");
    tensor::require_extents<1>({static_cast<index>(summaries.size())}, {rows}, "the summaries of logits");
    tensor::require_extents(best.extents(), {rows, std::min(best.extent(1), vocabulary)}, "the best tokens");
    auto const& kernels = ctx.kernels<T>();
    using detail::tokens_together;
    detail::linear_input<T> const input{kernels, x, weight};
    T* const logits = detail::scratch<T>(detail::scratch_use::products, rows * tokens_together);
    T* const exponentials =
        detail::scratch<T>(detail::scratch_use::factors, rows * tokens_together);  // kept where a row is a reference
    std::vector<detail::softmax_state<T>> states(static_cast<std::size_t>(rows));
    for (index first = 0; first < vocabulary; first += tokens_together) {
        index const count = std::min(tokens_together, vocabulary - first);
        detail::some_logits(kernels, input, head, cap, first, count, logits);
        for (index r = 0; r < rows; ++r) {
            index const reference = references[static_cast<std::size_t>(r)];
            auto& state = states[static_cast<std::size_t>(r)];
            T const *const own = logits + r * tokens_together, *const other = logits + reference * tokens_together;
            T* const own_exponentials = exponentials + r * tokens_together;
            state.take(kernels, own, count, own_exponentials);
            if (best.extent(1) > 0) detail::keep_best<T>(own, first, count, first, best[r].flat());
            if (reference == r) continue;
            state.to_reference += kernels.weighted_difference(own_exponentials, own, other, count);
            state.from_reference =
                state.from_reference * states[static_cast<std::size_t>(reference)].factor +
                kernels.weighted_difference(exponentials + reference * tokens_together, other, own, count);
        }
    }
    for (std::size_t r = 0; r < states.size(); ++r) {
        auto const& own = states[r];
        auto const& other = states[static_cast<std::size_t>(references[r])];
        double const more = own.log_sum_exp() - other.log_sum_exp();
        // rounding may leave a little less than nothing
        auto const at_least_zero = [](double kl) { return kl < 0 ? 0 : kl; };
        summaries[r] = {own.log_sum_exp(), at_least_zero(own.from_reference / other.sum + more),
                        at_least_zero(own.to_reference / own.sum - more)};
    }
}

}  // namespace plateau::backend
