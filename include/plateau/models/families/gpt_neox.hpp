#pragma once
/// GPT-NeoX, Pythia: attention and MLP in parallel or one after the other, partial rotary positions, q, k and v by
/// head.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

inline model_config parse_gpt_neox(json const& root, std::string const& where) {
    model_config config = parse_sizes(root, where, 2048, 0, 2);
    config.d_mlp = field<index>(root, "intermediate_size", where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_eps", 1e-5, where);
    config.parallel = field_or<bool>(root, "use_parallel_residual", true, where);
    config.act = parse_activation(root, "hidden_act", "gelu", where);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", true, where);
    config.mlp_bias = true;
    config.rope = parse_rope(root, config.context, where,
                             {.theta = "rotary_emb_base", .fraction = "rotary_pct", .default_fraction = 0.25});
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", false, where);
    return config;
}

inline constexpr tensor_names gpt_neox_tensors{
    .prefixes = {"gpt_neox.", ""},
    .embedding = "embed_in",
    .final_norm = "final_layer_norm",
    .unembedding = {"embed_out", "lm_head"},
    .layout = qkv_layout::by_head,
    .qkv = "attention.query_key_value",
    .output = "attention.dense",
    .in = "mlp.dense_h_to_4h",
    .out = "mlp.dense_4h_to_h",
    .ignored = {"*rotary_emb.inv_freq", "*.attention.*bias"},
};

}  // namespace plateau::models::families
