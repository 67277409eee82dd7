#pragma once
/// Attention landscape of one query: energies over the keys before it and with its own, and how its pattern is divided.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/metrics/pattern_statistics.hpp>

namespace plateau::metrics {

/// Of one head at one point. Energies depend on the gauge: queries may be scaled against keys without any change of the
/// model's function (q → c q, k → k / c), and E changes; entropy, margin and the likeliest key do not.
struct attention_landscape {
    double fixed;     ///< E over the keys before the query's position: a landscape that does not move with the query
    double centred;   ///< that with the mean of these keys taken away: E + ⟨q, mean key⟩
    double own;       ///< E over all keys, the query's own position among them
    double entropy;   ///< of the pattern, nats
    double margin;    ///< largest score minus the second largest; ∞ of a single key
    index likeliest;  ///< key
};

/// @param scores  [T] as the softmax gets them, the query's own position last; −∞ is a key that it does not see
/// @param beta  their scale      @param query_norm_squared  ‖q‖² of the normed and rotated query
/// @return fixed and centred are NaN where no key before it is seen
/// @throws as hopfield_energy      @see hopfield_energy
inline attention_landscape attention_landscape_of(std::span<double const> scores, double beta,
                                                  double query_norm_squared) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    attention_landscape found{
        nan, nan, hopfield_energy(scores, beta, query_norm_squared), 0, top_two_margin(scores), likeliest_key(scores)};
    auto const before = scores.first(scores.size() - 1);
    double sum = 0, seen = 0;
    for (double const score : before) {
        if (std::isinf(score)) continue;
        sum += score, ++seen;
    }
    if (seen > 0) {
        found.fixed = hopfield_energy(before, beta, query_norm_squared);
        found.centred = found.fixed + sum / seen / beta;
    }
    auto pattern = log_softmax(scores);
    for (double& p : pattern) p = std::exp(p);
    found.entropy = pattern_entropy(pattern);
    return found;
}

}  // namespace plateau::metrics
