#pragma once
/// Next-token distributions from logits.

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::metrics {

/// log Σ_v exp(logit_v), the largest taken out first, in double. A logit of −∞ is a token that cannot come.
/// @param logits  [V]      @throws shape_error if V = 0; domain_error if a logit is NaN or +∞, or all are −∞
template <class T>
double log_sum_exp(std::span<T const> logits) {
    if (logits.empty()) throw shape_error("a distribution needs at least one logit");
    double largest = -std::numeric_limits<double>::infinity();
    for (T logit : logits) {
        if (std::isnan(static_cast<double>(logit))) throw domain_error("a logit is NaN");
        largest = std::fmax(largest, static_cast<double>(logit));
    }
    if (std::isinf(largest)) throw domain_error("the largest logit is not finite");
    return largest + std::log(tensor::lane_sum(logits.size(), [&](std::size_t i) {
               return std::exp(static_cast<double>(logits[i]) - largest);
           }));
}

/// log p_v = logit_v − log Σ exp(logit), nats, [V]. Precondition and exceptions of log_sum_exp.
template <class T>
std::vector<double> log_softmax(std::span<T const> logits) {
    double const total = log_sum_exp(logits);
    std::vector<double> result(logits.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<double>(logits[i]) - total;
    return result;
}

}  // namespace plateau::metrics
