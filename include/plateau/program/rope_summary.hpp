#pragma once
/// Rotary positions as summary.json tells them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/models/rotary.hpp>

namespace plateau::program {

namespace detail {

inline nlohmann::ordered_json summary_of_rope(io::rope_config const& told, index d_head) {
    using io::rope_kind;
    auto const used = models::rope_of(told, d_head);
    // in the order of rope_kind
    constexpr std::array names{"none", "default", "linear", "llama3", "dynamic", "yarn", "longrope"};
    nlohmann::ordered_json all{
        {"type", names[static_cast<std::size_t>(told.kind)]}, {"theta", told.theta}, {"dimensions", 2 * used.half()}};
    if (told.kind != rope_kind::standard) all["factor"] = told.factor;
    if (told.kind == rope_kind::llama3) {
        all["low_freq_factor"] = told.low_freq_factor;
        all["high_freq_factor"] = told.high_freq_factor;
    }
    if (told.kind == rope_kind::yarn) {
        all["beta_fast"] = told.beta_fast;
        all["beta_slow"] = told.beta_slow;
        all["truncate"] = told.truncate;
    }
    if (told.kind != rope_kind::standard && told.kind != rope_kind::linear)
        all["original_max_position_embeddings"] = told.original_context;
    if (told.kind == rope_kind::yarn || told.kind == rope_kind::longrope)
        all["attention_factor"] = told.attention_factor;
    auto const add_factors = [&](char const* key, std::vector<double> const& frequencies) {
        auto factors = nn::rope::standard(2 * used.half(), told.theta).frequencies();
        for (std::size_t i = 0; i < factors.size(); ++i) factors[i] /= frequencies[i];
        if (std::ranges::any_of(factors, [](double factor) { return factor != 1; })) all[key] = factors;
    };
    add_factors("factors", used.frequencies());
    if (told.kind == rope_kind::longrope) add_factors("long_factors", used.frequencies(told.original_context + 1));
    return all;
}

}  // namespace detail

/// Type and parameters under the names of config.json; `dimensions`, the coordinates w of a head that rotate; and
/// where they are not all 1 `factors` [w/2], which divide the frequencies theta^(-2i/w) of the pairs i: those of
/// prompts up to the original length, longrope's `long_factors` of longer ones. Where layers with a window have others,
/// both under the names of layer types; `layers_without` lists layers that do not rotate. Null without rotary
/// positions.
inline nlohmann::ordered_json rope_summary(io::model_config const& config) {
    if (config.rope.kind == io::rope_kind::none) return nullptr;
    auto all = detail::summary_of_rope(config.rope, config.d_head);
    if (config.local_rope.kind != io::rope_kind::none) {
        all = nlohmann::ordered_json{{"full_attention", std::move(all)},
                                     {"sliding_attention", detail::summary_of_rope(config.local_rope, config.d_head)}};
    }
    if (!config.unrotated.empty()) all["layers_without"] = config.unrotated;
    return all;
}

}  // namespace plateau::program
