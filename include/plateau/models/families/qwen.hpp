#pragma once
/// Qwen2, Qwen2.5: Llama with biases of q, k and v. Qwen3: each head's queries and keys normalised instead.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_qwen2(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 32768, std::nullopt, std::nullopt);
    config.qkv_bias = true;
    bool const windowed = field_or<bool>(root, "use_sliding_window", false, where);
    config.windows =
        parse_windows(root, config.layers, windowed ? parse_window(root, "sliding_window", 4096, where) : 0,
                      field_or<index>(root, "max_window_layers", 28, where), 1, where);
    return config;
}

inline model_config parse_qwen3(json const& root, std::string const& where) {
    model_config config = parse_qwen2(root, where);
    if (find_field(root, "head_dim") == nullptr) config.d_head = 128;
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.qk_norm = qk_norm_kind::per_head;
    return config;
}

}  // namespace plateau::models::families
