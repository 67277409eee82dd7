#pragma once
/// Phi-1, Phi-1.5, Phi-2: attention and MLP in parallel behind one norm, partial rotary positions, biases everywhere.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

inline model_config parse_phi(json const& root, std::string const& where) {
    model_config config = parse_sizes(root, where, 2048, 1, 2);
    config.d_mlp = field_or<index>(root, "intermediate_size", 8192, where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_eps", 1e-5, where);
    config.parallel = true;
    config.act = parse_activation(root, "hidden_act", "gelu_new", where);
    config.qkv_bias = config.out_bias = config.mlp_bias = config.head_bias = true;
    config.rope =
        parse_rope(root, config.context, where, {.fraction = "partial_rotary_factor", .default_fraction = 0.5});
    if (field_or<bool>(root, "qk_layernorm", false, where)) config.qk_norm = qk_norm_kind::per_head;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", false, where);
    return config;
}

inline constexpr tensor_names phi_tensors{
    .final_norm = "final_layernorm",
    .norm2 = "",
    .query_norm = "self_attn.q_layernorm",
    .key_norm = "self_attn.k_layernorm",
    .output = "self_attn.dense",
    .in = "mlp.fc1",
    .out = "mlp.fc2",
};

}  // namespace plateau::models::families
