#pragma once
/// Attention in steps, where somebody wants to see or change its scores or patterns.

#include <array>

#include <plateau/core/macros.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::nn {

inline constexpr work_buffer scores_buffer{"scores"};  ///< [R, H · K], then the pattern

/// What tangents need of the steps, [R, H · K] each, K the keys that a row of the block sees at most.
enum class pattern_step : std::uint8_t {
    scores,          ///< as they were computed
    pattern,         ///< the softmax of what hooks left of them
    changed_pattern  ///< as hooks left it
};
inline work_buffer const& kept_step(pattern_step which) {
    static constexpr std::array<work_buffer, 3> all{{{"kept scores"}, {"kept pattern"}, {"changed pattern"}}};
    return all[static_cast<std::size_t>(which)];
}

/// True if somebody asked for scores or patterns of a layer.
template <class Context, class T>
bool wants_pattern_steps(layer_rows<Context, T> l) {
    return l.wanted(hooks::site_id::attn_scores) || l.wanted(hooks::site_id::pattern);
}

/// The scores of the block's rows and their softmax, each shown. @return the pattern, [R, H, K]
/// @param keep  called with each step and what it left, [R, H · K]
template <class Context, class T, class Keep>
tensor::view<T, 3, typename Context::space> pattern_in_steps(
    layer_rows<Context, T> l, backend::attention_shape<T> const& shape,
    backend::attention_rows<T, typename Context::space> const& own, Keep const& keep) {
    using hooks::site_id;
    index const keys = l.pass.keys();
    auto const segments = l.pass.segments(l.layer);
    auto const flat = l.matrix(scores_buffer, shape.heads * keys);
    tensor::view<T, 3, typename Context::space> const scores{flat.data(), {l.pass.rows(), shape.heads, keys}};
    backend::attention_scores<T>(l.context(), shape, own.q, own.keys, segments, scores);
    keep(pattern_step::scores, flat);
    l.hook(site_id::attn_scores, flat, shape.heads);
    backend::attention_softmax<T>(l.context(), shape, segments, scores);
    keep(pattern_step::pattern, flat);
    l.hook(site_id::pattern, flat, shape.heads);
    keep(pattern_step::changed_pattern, flat);
    return scores;
}

/// z_h = softmax(scale · q_h Kᵀ) V by way of them. @param z  [R, H · E]
template <class Context, class T>
PLATEAU_INLINE void mix_in_steps(layer_rows<Context, T> l, backend::attention_shape<T> const& shape,
                                 backend::attention_rows<T, typename Context::space> const& own,
                                 typename pass<Context, T>::rows_view z) {
    auto const keep = [&](pattern_step which, auto flat) {
        if (l.pass.has_tangents()) backend::copy<T>(l.context(), flat, l.matrix(kept_step(which), flat.extent(1)));
    };
    auto const pattern = pattern_in_steps(l, shape, own, keep);
    backend::attention_mix<T>(l.context(), shape, pattern, own.values, l.pass.segments(l.layer), z);
}

}  // namespace plateau::nn
