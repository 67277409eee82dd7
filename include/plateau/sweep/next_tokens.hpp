#pragma once
/// Next tokens along paths: how far predictions move, and the likeliest tokens with their probabilities.

#include <cmath>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/engine/read/predictions.hpp>

namespace plateau::sweep {

/// What the model predicts at every point, whatever its arithmetic.
struct next_tokens {
    tensor::buffer<double, 2> kl, kl_reverse;    ///< [P,S] KL(p(0) ‖ p(α)) and KL(p(α) ‖ p(0)), nats
    std::vector<index> tokens = {};              ///< [P,S,K] the likeliest, the first one first
    std::vector<double> log_probabilities = {};  ///< [P,S,K] nats
};

/// @throws numeric_error that names the pair and the point where logits are not finite
template <class T>
next_tokens next_tokens_of(engine::predictions<T> p) {
    for (index i = 0; i < p.log_sum_exp.size(); ++i) {
        if (std::isfinite(p.log_sum_exp.data()[i])) continue;
        index const points = p.log_sum_exp.extent(1);
        throw numeric_error("the logits are not finite for pair ", i / points, ", point ", i % points,
                            ": compute with a wider dtype");
    }
    next_tokens all{std::move(p.kl_from_start), std::move(p.kl_to_start)};
    for (index i = 0; i < p.best.size(); ++i) {
        auto const& [logit, token] = p.best.data()[i];
        all.tokens.push_back(token);
        all.log_probabilities.push_back(static_cast<double>(logit) - p.log_sum_exp.data()[i / p.best.extent(2)]);
    }
    return all;
}

}  // namespace plateau::sweep
