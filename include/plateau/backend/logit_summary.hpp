#pragma once
/// Summaries of a row of logits that is not stored, on any backend.

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// One row's distribution p = softmax(l) next to that of its reference row, in nats.
struct logit_summary {
    double log_sum_exp = 0;        ///< log Σ_v e^{l_v}
    double kl_from_reference = 0;  ///< KL(p_ref ‖ p) = Σ_v p_ref,v (log p_ref,v − log p_v)
    double kl_to_reference = 0;    ///< KL(p ‖ p_ref)
};

/// A token and its logit.
template <class T>
struct scored_token {
    T logit;
    index token;
};

}  // namespace plateau::backend
