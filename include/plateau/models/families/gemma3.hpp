#pragma once
/// Gemma-3, its text model: Gemma-2 with norms of queries and keys, and two kinds of layers.
/// Five of six layers have a window and rotary positions of their own; no score has a cap.

#include <plateau/models/families/gemma.hpp>

namespace plateau::models::families {

inline model_config parse_gemma3(json const& root, std::string const& where) {
    model_config config = parse_gated(root, where, 131072, 2, 1);
    require_neutral(root, "use_bidirectional_attention", false, where);
    if (find_field(root, "head_dim") == nullptr) config.d_head = 256;
    if (find_member(root, "num_key_value_heads") == nullptr) config.kv_heads = 4;
    config.act = parse_activation(root, "hidden_activation", "gelu_pytorch_tanh", where);
    config.norm_offset = 1;
    config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.qk_norm = qk_norm_kind::per_head;
    auto const scalar = field_or<double>(root, "query_pre_attn_scalar", 256, where);
    if (!(scalar > 0)) throw config_error(where, ": \"query_pre_attn_scalar\" must be positive");
    config.score_scale = 1 / std::sqrt(scalar);
    // the published code has a key for a cap of scores, and no cap
    config.logit_cap = field_or<double>(root, "final_logit_softcapping", 0, where);
    index const pattern = field_or<index>(root, "sliding_window_pattern", 6, where);
    if (pattern < 1) throw config_error(where, ": \"sliding_window_pattern\" must be positive, found ", pattern);
    config.windows =
        parse_windows_between(root, config.layers, parse_window(root, "sliding_window", 4096, where), pattern, where);
    auto ropes = parse_ropes_by_layer_type(root, config.context, where, {.default_theta = 1e6},
                                           {.theta = "rope_local_base_freq"});
    config.rope = std::move(ropes.first);
    config.local_rope = std::move(ropes.second);
    return config;
}

}  // namespace plateau::models::families
