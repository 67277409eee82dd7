#pragma once
/// config.json of the Llama family: Llama 1 to 3, SmolLM2, Qwen2.

#include <optional>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/config/fields.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/json.hpp>

namespace plateau::io::config {

namespace detail {

/// The keys that all pre-norm decoders with RMSNorm, RoPE and a gated MLP share.
[[gnu::cold]] inline model_config parse_llama_like(json const& root, index default_context, std::string const& where) {
    refuse_general_options(root, where);
    model_config config;
    config.layers = field<index>(root, "num_hidden_layers", where);
    config.d_model = field<index>(root, "hidden_size", where);
    config.heads = field<index>(root, "num_attention_heads", where);
    config.kv_heads = field_or<index>(root, "num_key_value_heads", config.heads, where);
    if (auto const width = optional_field<index>(root, "head_dim", where)) {
        config.d_head = *width;
    } else {
        if (config.heads < 1 || config.d_model % config.heads != 0) {
            throw config_error{where, ": \"hidden_size\" ", config.d_model,
                               " is not divisible by \"num_attention_heads\" ", config.heads};
        }
        config.d_head = config.d_model / config.heads;
    }
    config.d_mlp = field<index>(root, "intermediate_size", where);
    config.vocab = field<index>(root, "vocab_size", where);
    config.context = field_or<index>(root, "max_position_embeddings", default_context, where);
    config.norm = norm_kind::rms;
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-6, where);
    config.act = parse_activation(root, "hidden_act", "silu", where);
    config.gated_mlp = true;
    config.rope = parse_rope(root, config.context, where);
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", false, where);
    return config;
}

}  // namespace detail

/// @throws config_error
[[gnu::cold]] inline model_config parse_llama(json const& root, std::string const& where) {
    model_config config = detail::parse_llama_like(root, 2048, where);
    config.model_type = "llama";
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.mlp_bias = field_or<bool>(root, "mlp_bias", false, where);
    config.bos = parse_token_ids(root, "bos_token_id", 1, where);
    config.eos = parse_token_ids(root, "eos_token_id", 2, where);
    refuse_short_windows(root, std::nullopt, false, config.context, where);
    return config;
}

/// @throws config_error
[[gnu::cold]] inline model_config parse_qwen2(json const& root, std::string const& where) {
    model_config config = detail::parse_llama_like(root, 32768, where);
    config.model_type = "qwen2";
    config.qkv_bias = true;
    config.bos = parse_token_ids(root, "bos_token_id", std::nullopt, where);
    config.eos = parse_token_ids(root, "eos_token_id", std::nullopt, where);
    std::optional<index> window;
    if (field_or<bool>(root, "use_sliding_window", false, where)) {
        // An explicit null switches the window off, an absent key does not.
        bool const absent = find_member(root, "sliding_window") == nullptr;
        window = absent ? 4096 : optional_field<index>(root, "sliding_window", where);
    }
    bool const windowed = field_or<index>(root, "max_window_layers", 28, where) < config.layers;
    refuse_short_windows(root, window, windowed, config.context, where);
    return config;
}

}  // namespace plateau::io::config
