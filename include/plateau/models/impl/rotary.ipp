#pragma once
/// Bodies of models/rotary.hpp.

#include <memory>

#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/models/rotary.hpp>

namespace plateau::models {

namespace detail {

/// The rotary frequencies of a kind, before divisors.
PLATEAU_INLINE nn::rope rope_of_kind(io::rope_config const& r, index d_head) {
    index const width = r.width(d_head);
    switch (r.kind) {
        case io::rope_kind::linear: return nn::rope::linear(width, r.theta, r.factor);
        case io::rope_kind::llama3:
            return nn::rope::llama3(width, r.theta, r.factor, r.low_freq_factor, r.high_freq_factor,
                                    r.original_context);
        case io::rope_kind::dynamic: return nn::rope::dynamic(width, r.theta, r.factor, r.original_context);
        case io::rope_kind::yarn:
            return nn::rope::yarn(width, r.theta, r.factor, {r.original_context, r.beta_fast, r.beta_slow, r.truncate})
                .times(r.attention_factor);
        case io::rope_kind::longrope:
            return nn::rope::longrope(r.theta, r.short_factors, r.long_factors,
                                      {.beyond = r.original_context, .restarts = r.restarts})
                .times(r.attention_factor);
        default: return nn::rope::standard(width, r.theta);
    }
}

}  // namespace detail

PLATEAU_INLINE nn::rope rope_of(io::rope_config const& r, index d_head) {
    return detail::rope_of_kind(r, d_head).divided(r.divisors);
}

PLATEAU_INLINE std::shared_ptr<nn::rope const> make_rope(io::rope_config const& r, index d_head) {
    return r.kind == io::rope_kind::none ? nullptr : shared<nn::rope>(rope_of(r, d_head));
}

}  // namespace plateau::models
