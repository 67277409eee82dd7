#pragma once
/// Numbers made of a read-out that derivatives go through: logits of tokens, log-probabilities, divergences, distances.

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/metrics/cross_entropy.hpp>
#include <plateau/metrics/kl_divergence.hpp>
#include <plateau/metrics/l2_distance.hpp>

namespace plateau::engine {

/// A number made of a read-out F, and of that at point 0 of its pair, with its gradient by F. A function of your own is
/// one of these.
template <class T>
struct read_out_function {
    using row = std::span<T const>;
    std::function<double(row value, row reference)> value;
    std::function<std::vector<double>(row value, row reference)> gradient;   ///< by coordinate of `value`
    std::function<double(row value, row reference, row change)> slope = {};  ///< its own, where it is one-sided

    /// Its derivative along a change of F: the gradient's product with it, or what `slope` says.
    double along(row read, row reference, row change) const {
        if (slope) return slope(read, reference, change);
        auto const g = gradient(read, reference);
        return tensor::dot(std::span<double const>{g}, change);
    }
};

/// The logit of a token; of the logits. @throws domain_error if it is not in the vocabulary
template <class T>
read_out_function<T> logit_of(token_id token) {
    using row = std::span<T const>;
    auto const at = [token](row logits) {
        if (token < 0 || static_cast<std::size_t>(token) >= logits.size())
            throw domain_error("token ", token, " is not in a vocabulary of ", logits.size());
        return static_cast<std::size_t>(token);
    };
    return {[at](row logits, row) { return static_cast<double>(logits[at(logits)]); },
            [at](row logits, row) {
        std::vector<double> unit(logits.size());
        unit[at(logits)] = 1;
        return unit;
            }};
}

/// log p of a token, nats; of the logits. @throws as metrics::cross_entropy
template <class T>
read_out_function<T> log_probability_of(token_id token) {
    using row = std::span<T const>;
    return {[token](row logits, row) { return -metrics::cross_entropy(logits, token); },
            [token](row logits, row) {
        auto gradient = metrics::cross_entropy_gradient(logits, token);
        for (double& x : gradient) x = -x;
        return gradient;
            }};
}

/// KL(reference ‖ value), nats; of the logits. @throws as metrics::kl_of_logits
template <class T>
read_out_function<T> divergence_from_reference() {
    using row = std::span<T const>;
    return {[](row value, row reference) { return metrics::kl_of_logits(reference, value).from_reference; },
            [](row value, row reference) { return metrics::kl_from_reference_gradient(reference, value); }};
}

/// KL(value ‖ reference), nats; of the logits. @throws as metrics::kl_of_logits
template <class T>
read_out_function<T> divergence_to_reference() {
    using row = std::span<T const>;
    return {[](row value, row reference) { return metrics::kl_of_logits(reference, value).to_reference; },
            [](row value, row reference) { return metrics::kl_to_reference_gradient(reference, value); }};
}

/// d = |F − reference|; along a path from the reference its slope there is that on the far side, |J dx/dα|.
/// Its gradient there is an error. @throws domain_error
template <class T>
read_out_function<T> distance_to_reference() {
    using row = std::span<T const>;
    return {[](row value, row reference) { return metrics::l2_distance(value, reference); },
            [](row value, row reference) { return metrics::l2_distance_gradient(value, reference); },
            [](row value, row reference, row change) {
        if (metrics::l2_distance(value, reference) == 0) return std::sqrt(tensor::dot(change, change));
        auto const gradient = metrics::l2_distance_gradient(value, reference);
        return tensor::dot(std::span<double const>{gradient}, change);
            }};
}

}  // namespace plateau::engine
