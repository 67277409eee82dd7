#pragma once
/// Llama 1 to 3, SmolLM2: RMSNorm, rotary positions, gated MLP, grouped keys and values.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

/// The keys that all decoders with RMSNorm and a gated MLP share, but for rotary positions.
inline model_config parse_gated(json const& root, std::string const& where, index default_context,
                                std::optional<token_id> bos, std::optional<token_id> eos) {
    model_config config = parse_sizes(root, where, default_context, bos, eos);
    config.d_mlp = size_field(root, "intermediate_size", &class_sizes::mlp, where);
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-6, where);
    config.act = parse_activation(root, "hidden_act", "silu", where);
    config.gated_mlp = true;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", false, where);
    return config;
}

/// And those that share RoPE too.
inline model_config parse_llama_like(json const& root, std::string const& where, index default_context,
                                     std::optional<token_id> bos, std::optional<token_id> eos,
                                     rope_keys const& rope = {}) {
    model_config config = parse_gated(root, where, default_context, bos, eos);
    config.rope = parse_rope(root, config.context, where, rope);
    return config;
}

/// The windows of a model whose layers have one but for every n-th, unless "layer_types" says otherwise.
inline std::vector<index> parse_windows_between(json const& root, index layers, index window, index n,
                                                std::string const& where) {
    auto windows = parse_windows(root, layers, window, 0, 1, where);
    if (find_field(root, "layer_types") != nullptr) return windows;
    for (std::size_t layer = 0; layer < windows.size(); ++layer) {
        if ((static_cast<index>(layer) + 1) % n == 0) windows[layer] = 0;
    }
    return windows;
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
