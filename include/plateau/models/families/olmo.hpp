#pragma once
/// OLMo: LayerNorm without weights, clamped queries, keys and values. OLMo-2: norms after the parts of a block, queries
/// and keys normalised over all heads.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_olmo(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 2048, std::nullopt, 50279);
    config.norm = norm_kind::layer;
    config.norm_eps = 1e-5;
    config.norm_weights = false;
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    if (auto const clip = optional_field<double>(root, "clip_qkv", where)) {
        if (!(*clip > 0))
            throw config_error(where, ": \"clip_qkv\" must be positive, found ",
                               scalar_text(*find_field(root, "clip_qkv")));
        config.clip_qkv = *clip;
    }
    return config;
}

inline model_config parse_olmo2(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 2048, std::nullopt, 50279);
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-5, where);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.qk_norm = qk_norm_kind::whole;
    parse_windows(root, config.layers, 0, 0, 1, where);  // it has none
    return config;
}

inline constexpr tensor_names olmo2_tensors{
    .norm1 = "",
    .norm1_post = "post_attention_layernorm",
    .norm2 = "",
    .norm2_post = "post_feedforward_layernorm",
};

}  // namespace plateau::models::families
