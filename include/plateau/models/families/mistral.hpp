#pragma once
/// Mistral: Llama with a sliding window in every layer.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_mistral(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 4096 * 32, 1, 2);
    if (find_member(root, "num_key_value_heads") == nullptr) config.kv_heads = 8;
    config.windows = parse_windows(root, config.layers, parse_window(root, "sliding_window", 4096, where), 0, 1, where);
    return config;
}

}  // namespace plateau::models::families
