#pragma once
/// OLMo-3: OLMo-2 with a window in three layers of four, and rotary positions of their own there.

#include <plateau/models/families/olmo.hpp>

namespace plateau::models::families {

inline model_config parse_olmo3(json const& root, std::string const& where) {
    model_config config = parse_gated(root, where, 2048, std::nullopt, 50279);
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-5, where);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.qk_norm = qk_norm_kind::whole;
    config.windows =
        parse_windows_between(root, config.layers, parse_window(root, "sliding_window", 4096, where), 4, where);
    // "rope_theta" beside the layer types is that of the layers without a window alone
    auto ropes = parse_ropes_by_layer_type(root, config.context, where, {.default_theta = 5e5},
                                           {.theta = "", .default_theta = 5e5});
    config.rope = std::move(ropes.first);
    config.local_rope = std::move(ropes.second);
    return config;
}

}  // namespace plateau::models::families
