#pragma once
/// OPT: LayerNorm, learned positions from row 2 on, a plain MLP with ReLU.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

inline model_config parse_opt(json const& root, std::string const& where) {
    require_neutral(root, "do_layer_norm_before", true, where);
    model_config config = parse_sizes(root, where, 2048, 2, 2);
    if (field_or<index>(root, "word_embed_proj_dim", config.d_model, where) != config.d_model) {
        throw config_error(where, ": \"word_embed_proj_dim\" other than \"hidden_size\" is not supported");
    }
    config.d_mlp = field_or<index>(root, "ffn_dim", 3072, where);
    config.norm = norm_kind::layer;
    config.norm_eps = 1e-5;
    config.norm_weights = field_or<bool>(root, "layer_norm_elementwise_affine", true, where);
    config.final_norm = !field_or<bool>(root, "_remove_final_layer_norm", false, where);
    config.act = parse_activation(root, "activation_function", "relu", where);
    config.init_scale = field_or<double>(root, "init_std", 0.02, where);
    config.learned_positions = true;
    config.position_offset = 2;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.qkv_bias = config.out_bias = config.mlp_bias = field_or<bool>(root, "enable_bias", true, where);
    return config;
}

inline constexpr tensor_names opt_tensors{
    .prefixes = {"model.decoder.", "decoder."},
    .positions = "embed_positions",
    .final_norm = "final_layer_norm",
    .norm1 = "self_attn_layer_norm",
    .norm2 = "final_layer_norm",
    .output = "self_attn.out_proj",
    .in = "fc1",
    .out = "fc2",
};

}  // namespace plateau::models::families
