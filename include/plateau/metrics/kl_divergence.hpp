#pragma once
/// Kullback-Leibler divergence of next-token distributions, both ways.

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/log_softmax.hpp>

namespace plateau::metrics {

/// @throws domain_error unless p is without negative numbers and NaN and has a sum of 1 to within 1e-3 (float
///         probabilities of a large vocabulary are no more exact)
inline void require_distribution(std::span<double const> p) {
    double total = 0;
    for (double x : p) {
        if (!(x >= 0)) throw domain_error("a probability is ", std::to_string(x));
        total += x;
    }
    if (!(std::abs(total - 1) <= 1e-3))
        throw domain_error("probabilities sum to ", std::to_string(total), ", not to 1");
}

/// @throws shape_error unless p and q are of equal length; domain_error unless each is a distribution
inline void require_distributions(std::span<double const> p, std::span<double const> q) {
    if (p.size() != q.size())
        throw shape_error("two distributions need equal lengths, got ", p.size(), " and ", q.size());
    require_distribution(p);
    require_distribution(q);
}

/// KL(p ‖ q) = Σ_v p_v log(p_v / q_v), nats; 0 log 0 = 0, and ∞ if q_v = 0 < p_v.
/// @param p,q  [V] probabilities      @throws shape_error, domain_error, see require_distributions
inline double kl_divergence(std::span<double const> p, std::span<double const> q) {
    require_distributions(p, q);
    return tensor::lane_sum(p.size(), [&](std::size_t i) { return p[i] > 0 ? p[i] * std::log(p[i] / q[i]) : 0.0; });
}

/// The divergences between a reference (clean) and a changed distribution, nats.
struct kl_both_ways {
    double from_reference;  ///< KL(reference ‖ changed), what Heimersheim & Mendel 2024 and Lee & Heimersheim 2024 use
    double to_reference;    ///< KL(changed ‖ reference)
};

/// Both divergences from logits, without forming probabilities that underflow; in double.
/// @param reference,changed  [V] logits      @throws shape_error on unequal lengths; domain_error of log_softmax
template <class T>
kl_both_ways kl_of_logits(std::span<T const> reference, std::span<T const> changed) {
    if (reference.size() != changed.size()) {
        throw shape_error("kl_of_logits needs equal lengths, got ", reference.size(), " and ", changed.size());
    }
    auto const p = log_softmax(reference), q = log_softmax(changed);
    auto const one_way = [&](auto const& from, auto const& to) {
        return tensor::lane_sum(from.size(), [&](std::size_t i) {
            double const weight = std::exp(from[i]);
            return weight > 0 ? weight * (from[i] - to[i]) : 0.0;
        });
    };
    return {one_way(p, q), one_way(q, p)};
}

/// The gradient by the changed logits of KL(reference ‖ changed), q − p, [V]. @throws as kl_of_logits
template <class T>
std::vector<double> kl_from_reference_gradient(std::span<T const> reference, std::span<T const> changed) {
    if (reference.size() != changed.size()) {
        throw shape_error("kl_of_logits needs equal lengths, got ", reference.size(), " and ", changed.size());
    }
    auto const p = log_softmax(reference);
    auto gradient = log_softmax(changed);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = std::exp(gradient[i]) - std::exp(p[i]);
    return gradient;
}

/// That of KL(changed ‖ reference), q (log q − log p − KL), [V]. @throws as kl_of_logits
template <class T>
std::vector<double> kl_to_reference_gradient(std::span<T const> reference, std::span<T const> changed) {
    double const divergence = kl_of_logits(reference, changed).to_reference;
    auto const p = log_softmax(reference);
    auto gradient = log_softmax(changed);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        double const probability = std::exp(gradient[i]);
        gradient[i] = probability > 0 ? probability * (gradient[i] - p[i] - divergence) : 0;
    }
    return gradient;
}

}  // namespace plateau::metrics
