#pragma once
/// Cross-entropy of the token that came, and what an intervention adds to it.

#include <cmath>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/metrics/log_softmax.hpp>

namespace plateau::metrics {

/// −log p_token, nats. @param logits  [V]      @throws domain_error if token is not in [0, V), and those of log_sum_exp
template <class T>
double cross_entropy(std::span<T const> logits, token_id token) {
    if (token < 0 || static_cast<std::size_t>(token) >= logits.size()) {
        throw domain_error("token ", token, " is not in a vocabulary of ", logits.size());
    }
    return log_sum_exp(logits) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

/// Its gradient by the logits, p − e_token, [V]. @throws as cross_entropy
template <class T>
std::vector<double> cross_entropy_gradient(std::span<T const> logits, token_id token) {
    if (token < 0 || static_cast<std::size_t>(token) >= logits.size()) {
        throw domain_error("token ", token, " is not in a vocabulary of ", logits.size());
    }
    auto gradient = log_softmax(logits);
    for (double& x : gradient) x = std::exp(x);
    gradient[static_cast<std::size_t>(token)] -= 1;
    return gradient;
}

/// ΔCE = CE(changed) − CE(clean), nats: positive if the change made the token less likely.
/// @see Gurnee 2024; Lee & Heimersheim 2024
template <class T>
double cross_entropy_change(std::span<T const> clean, std::span<T const> changed, token_id token) {
    return cross_entropy(changed, token) - cross_entropy(clean, token);
}

}  // namespace plateau::metrics
