#pragma once
/// config.json of GPT-2.

#include <limits>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/fields.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>

namespace plateau::io::config {

/// @throws config_error
[[gnu::cold]] inline model_config parse_gpt2(json const& root, std::string const& where) {
    refuse_general_options(root, where);
    model_config config;
    config.model_type = "gpt2";
    config.layers = field<index>(root, "n_layer", where);
    config.d_model = field<index>(root, "n_embd", where);
    config.heads = config.kv_heads = field<index>(root, "n_head", where);
    if (config.heads < 1 || config.d_model % config.heads != 0) {
        throw config_error{where, ": \"n_embd\" ", config.d_model, " is not divisible by \"n_head\" ", config.heads};
    }
    config.d_head = config.d_model / config.heads;
    auto const inner = optional_field<index>(root, "n_inner", where);
    if (!inner && config.d_model > std::numeric_limits<index>::max() / 4) {
        throw config_error{where, ": \"n_embd\" is absurd: ", config.d_model};
    }
    config.d_mlp = inner ? *inner : 4 * config.d_model;
    config.vocab = field<index>(root, "vocab_size", where);
    config.context = field_or<index>(root, "n_positions", 1024, where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_epsilon", 1e-5, where);
    config.act = parse_activation(root, "activation_function", "gelu_new", where);
    config.learned_positions = true;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.qkv_bias = config.out_bias = config.mlp_bias = true;
    config.scale_attention = field_or<bool>(root, "scale_attn_weights", true, where);
    config.scale_by_inverse_layer = field_or<bool>(root, "scale_attn_by_inverse_layer_idx", false, where);
    config.bos = parse_token_ids(root, "bos_token_id", 50256, where);
    config.eos = parse_token_ids(root, "eos_token_id", 50256, where);
    return config;
}

}  // namespace plateau::io::config
