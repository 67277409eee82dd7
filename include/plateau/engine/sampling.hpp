#pragma once
/// The next token, from its logits.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>

namespace plateau::engine {

/// How a token is drawn.
struct sampling {
    double temperature = 0;  ///< τ; 0 takes the largest logit, of equal ones the smaller token
    index top_k = 0;         ///< only the k largest logits have a chance, of equal ones the smaller tokens; 0 for all
};

/// @throws usage_error unless τ ≥ 0 is finite and k ≥ 0
inline void require_valid(sampling const& how) {
    if (!(how.temperature >= 0) || std::isinf(how.temperature)) {
        throw usage_error("the temperature must be a number, 0 or more: 0 takes the likeliest token");
    }
    if (how.top_k < 0) throw usage_error("top-k must be 0 or more, got ", how.top_k, ": 0 gives every token a chance");
}

/// The token v with P(v) = e^{l_v/τ} / Σ_u e^{l_u/τ} over the k largest logits, by inversion: the first, in the order
/// of the tokens, with P(0) + … + P(v) > u. In double; O(V), allocates [V] if 0 < k < V.
/// @param logits  [V], not empty; a token of logit −∞ is never chosen      @param u  in [0, 1)
/// @throws numeric_error if a logit is NaN, or the largest one not finite; usage_error as require_valid
template <class T>
token_id choose_token(std::span<T const> logits, sampling const& how, double u) {
    require_valid(how);
    auto const best = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    bool const ordered = std::none_of(logits.begin(), logits.end(), [](T value) { return std::isnan(value); });
    if (!ordered || !std::isfinite(logits[best])) {
        throw numeric_error(
            "the logits of the next token are not finite: check the weights, the hooks, or compute with a wider dtype");
    }
    if (how.temperature == 0 || how.top_k == 1) return static_cast<token_id>(best);
    std::size_t edge = logits.size();  // the last token, in order of preference, that has a chance
    auto const before = [&](std::size_t a, std::size_t b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    };
    if (how.top_k > 0 && static_cast<std::size_t>(how.top_k) < logits.size()) {
        std::vector<std::size_t> order(logits.size());
        for (std::size_t v = 0; v < order.size(); ++v) order[v] = v;
        auto const kth = order.begin() + static_cast<std::ptrdiff_t>(how.top_k - 1);
        std::nth_element(order.begin(), kth, order.end(), before);
        edge = *kth;
    }
    auto const weight = [&](std::size_t v) {
        if (edge < logits.size() && before(edge, v)) return 0.0;
        return std::exp((static_cast<double>(logits[v]) - static_cast<double>(logits[best])) / how.temperature);
    };
    double total = 0, sum = 0;
    for (std::size_t v = 0; v < logits.size(); ++v) total += weight(v);
    std::size_t last = best;
    for (std::size_t v = 0; v < logits.size(); ++v) {
        double const w = weight(v);
        sum += w;
        if (w > 0) last = v;
        if (sum > u * total) return static_cast<token_id>(v);
    }
    return static_cast<token_id>(last);  // rounding of u · total alone leads here
}

/// The random number of step n of prompt i: a function of (seed, i, n) alone, in [0, 1).
inline double sampling_number(std::uint64_t seed, index prompt, index step) {
    counter_rng const stream{counter_rng{seed}.at(static_cast<std::uint64_t>(prompt))};
    return static_cast<double>(stream.at(static_cast<std::uint64_t>(step)) >> 11) * 0x1p-53;
}

}  // namespace plateau::engine
