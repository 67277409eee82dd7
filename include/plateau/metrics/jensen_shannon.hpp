#pragma once
/// Jensen-Shannon distance.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <plateau/metrics/kl_divergence.hpp>

namespace plateau::metrics {

/// √JSD(p, q) ∈ [0, 1],   JSD = ½ KL(p ‖ m) + ½ KL(q ‖ m) in bits,   m = (p + q) / 2. A metric; symmetric.
/// @param p,q  [V] probabilities      @throws shape_error, domain_error, see require_distributions
/// @see Endres & Schindelin 2003; base 2 and the root as in the code of Heimersheim & Mendel's followers;
///      scipy.spatial.distance.jensenshannon with base 2
inline double jensen_shannon_distance(std::span<double const> p, std::span<double const> q) {
    require_distributions(p, q);
    double const bits = tensor::lane_sum(p.size(), [&](std::size_t i) {
        double const middle = (p[i] + q[i]) / 2;
        return (p[i] > 0 ? p[i] * std::log2(p[i] / middle) : 0.0) + (q[i] > 0 ? q[i] * std::log2(q[i] / middle) : 0.0);
    });
    return std::sqrt(std::clamp(bits / 2, 0.0, 1.0));
}

/// The same from logits. @param p,q  [V]      @throws shape_error; domain_error of log_softmax
template <class T>
double jensen_shannon_of_logits(std::span<T const> p, std::span<T const> q) {
    auto left = log_softmax(p), right = log_softmax(q);
    for (double& x : left) x = std::exp(x);
    for (double& x : right) x = std::exp(x);
    return jensen_shannon_distance(left, right);
}

}  // namespace plateau::metrics
