#pragma once
/// Entropy, margin, likeliest key and energy of one attention pattern.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/metrics/kl_divergence.hpp>
#include <plateau/metrics/log_softmax.hpp>

namespace plateau::metrics {

/// H = −Σ_k p_k log p_k ∈ [0, log T], nats; 0 log 0 = 0. e^H is how many keys share the attention.
/// @param pattern  [T] probabilities      @throws domain_error, see require_distribution
inline double pattern_entropy(std::span<double const> pattern) {
    require_distribution(pattern);
    return tensor::lane_sum(pattern.size(),
                            [&](std::size_t k) { return pattern[k] > 0 ? -pattern[k] * std::log(pattern[k]) : 0.0; });
}

/// The key of the largest probability or score, the first of equal ones. @param pattern  [T]
/// @throws shape_error if T = 0; domain_error if a value is NaN
template <class T>
index likeliest_key(std::span<T const> pattern) {
    if (pattern.empty()) throw shape_error("a pattern needs at least one key");
    if (std::any_of(pattern.begin(), pattern.end(), [](T x) { return std::isnan(static_cast<double>(x)); }))
        throw domain_error("a value of a pattern is NaN");
    return std::max_element(pattern.begin(), pattern.end()) - pattern.begin();
}

/// The largest score minus the second largest >= 0: by how much scores may change before another key leads; the
/// logarithm of the ratio of the two probabilities.
/// @param scores  [T]; −∞ is a masked key      @return ∞ if there is but one key that is not masked
/// @throws shape_error if T = 0; domain_error if a score is NaN or +∞, or all are −∞
template <class T>
double top_two_margin(std::span<T const> scores) {
    auto const first = static_cast<std::size_t>(likeliest_key(scores));
    double const largest = static_cast<double>(scores[first]);
    if (std::isinf(largest)) throw domain_error("the largest score is not finite");
    double second = -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < scores.size(); ++k) {
        if (k != first) second = std::max(second, static_cast<double>(scores[k]));
    }
    return largest - second;
}

/// E = −β⁻¹ log Σ_k exp(score_k) + ½ ‖q‖²,   score_k = β ⟨key_k, q⟩: the energy whose gradient by q is
/// q − Σ_k p_k key_k. In double, stable as `log_sum_exp`.
/// @param scores  [T] as the softmax gets them; −∞ is a masked key      @param beta  β > 0, 1/√E for a head of width E
/// @param query_norm_squared  ‖q‖² >= 0
/// @throws shape_error if T = 0; domain_error if β <= 0 or ‖q‖² < 0, or one is not finite, and of log_sum_exp
/// @see Ramsauer et al. 2021, "Hopfield networks is all you need", equation 2, without its constants
template <class T>
double hopfield_energy(std::span<T const> scores, double beta, double query_norm_squared) {
    if (!(beta > 0) || std::isinf(beta)) throw domain_error("an energy needs 0 < β < ∞, got ", std::to_string(beta));
    if (!(query_norm_squared >= 0) || std::isinf(query_norm_squared))
        throw domain_error("an energy needs 0 <= ‖q‖² < ∞, got ", std::to_string(query_norm_squared));
    return query_norm_squared / 2 - log_sum_exp(scores) / beta;
}

}  // namespace plateau::metrics
