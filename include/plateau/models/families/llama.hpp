#pragma once
/// Llama 1 to 3, SmolLM2: RMSNorm, rotary positions, gated MLP, grouped keys and values.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

/// The keys that all pre-norm decoders with RMSNorm, RoPE and a gated MLP share.
inline model_config parse_llama_like(json const& root, std::string const& where, index default_context,
                                     std::optional<token_id> bos, std::optional<token_id> eos,
                                     rope_keys const& rope = {}) {
    model_config config = parse_sizes(root, where, default_context, bos, eos);
    config.d_mlp = field<index>(root, "intermediate_size", where);
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-6, where);
    config.act = parse_activation(root, "hidden_act", "silu", where);
    config.gated_mlp = true;
    config.rope = parse_rope(root, config.context, where, rope);
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", false, where);
    return config;
}

inline model_config parse_llama(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 2048, 1, 2);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.mlp_bias = field_or<bool>(root, "mlp_bias", false, where);
    parse_windows(root, config.layers, 0, 0, 1, where);  // it has none
    return config;
}

inline constexpr tensor_names llama_tensors{};

}  // namespace plateau::models::families
