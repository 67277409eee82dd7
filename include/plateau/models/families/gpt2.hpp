#pragma once
/// GPT-2: LayerNorm, learned positions, plain MLP; matrices stored as Conv1D.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

inline model_config parse_gpt2(json const& root, std::string const& where) {
    refuse_general_options(root, where);
    model_config config;
    config.layers = field<index>(root, "n_layer", where);
    config.d_model = field<index>(root, "n_embd", where);
    config.heads = config.kv_heads = field<index>(root, "n_head", where);
    config.d_head = equal_heads(config, where);
    config.d_mlp = parse_inner_width(root, "n_inner", config, where);
    config.vocab = field<index>(root, "vocab_size", where);
    config.context = field_or<index>(root, "n_positions", 1024, where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_epsilon", 1e-5, where);
    config.act = parse_activation(root, "activation_function", "gelu_new", where);
    config.learned_positions = true;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.qkv_bias = config.out_bias = config.mlp_bias = true;
    if (!field_or<bool>(root, "scale_attn_weights", true, where)) config.score_scale = 1;
    config.scale_by_inverse_layer = field_or<bool>(root, "scale_attn_by_inverse_layer_idx", false, where);
    config.init_scale = field_or<double>(root, "initializer_range", 0.02, where);
    config.scaled_outputs = true;
    config.bos = parse_token_ids(root, "bos_token_id", 50256, where);
    config.eos = parse_token_ids(root, "eos_token_id", 50256, where);
    return config;
}

inline constexpr tensor_names gpt2_tensors{
    .prefixes = {"transformer.", ""},
    .embedding = "wte",
    .positions = "wpe",
    .final_norm = "ln_f",
    .layers = "h.",
    .norm1 = "ln_1",
    .norm2 = "ln_2",
    .layout = qkv_layout::conv1d,
    .qkv = "attn.c_attn",
    .output = "attn.c_proj",
    .in = "mlp.c_fc",
    .out = "mlp.c_proj",
    .conv1d = true,
    .ignored = {"*.attn.bias", "*.attn.masked_bias"},
};

}  // namespace plateau::models::families
