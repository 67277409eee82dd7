#pragma once
/// Gemma: norms with weights 1 + w, a scaled embedding, tanh GeGLU. Gemma-2: soft-caps, windows in every other layer,
/// norms before and after each part.

#include <cmath>

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_gemma(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 8192, 2, 1);
    require_neutral(root, "use_bidirectional_attention", false, where);
    if (find_field(root, "head_dim") == nullptr) config.d_head = 256;
    // "hidden_activation" came later; old files say "gelu" and mean its approximation
    auto const key = find_field(root, "hidden_activation") != nullptr ? "hidden_activation" : "hidden_act";
    config.act = parse_activation(root, key, "gelu_pytorch_tanh", where);
    if (config.act == activation::gelu) config.act = activation::gelu_tanh;
    config.norm_offset = 1;
    config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    return config;
}

inline model_config parse_gemma2(json const& root, std::string const& where) {
    model_config config = parse_gemma(root, where);
    auto const scalar = field_or<double>(root, "query_pre_attn_scalar", 256, where);
    if (!(scalar > 0)) throw config_error(where, ": \"query_pre_attn_scalar\" must be positive");
    config.score_scale = 1 / std::sqrt(scalar);
    auto const cap = [&](char const* key, double absent) {
        return find_member(root, key) == nullptr ? absent : optional_field<double>(root, key, where).value_or(0);
    };
    config.score_cap = cap("attn_logit_softcapping", 50);
    config.logit_cap = cap("final_logit_softcapping", 30);
    config.windows = parse_windows(root, config.layers, parse_window(root, "sliding_window", 4096, where), 0, 2, where);
    return config;
}

inline constexpr tensor_names gemma2_tensors{
    .norm1_post = "post_attention_layernorm",
    .norm2 = "pre_feedforward_layernorm",
    .norm2_post = "post_feedforward_layernorm",
};

}  // namespace plateau::models::families
