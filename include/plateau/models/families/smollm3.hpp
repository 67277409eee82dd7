#pragma once
/// SmolLM3: Llama with layers that have no rotary positions.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_smollm3(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 32768, 128000, 128001, {.default_theta = 2e6});
    if (find_member(root, "num_key_value_heads") == nullptr) config.kv_heads = 4;
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.mlp_bias = field_or<bool>(root, "mlp_bias", false, where);
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    // "no_rope_layers" has a 1 for each layer that rotates
    bool const listed = find_field(root, "no_rope_layers") != nullptr;
    auto const rotates = listed ? parse_numbers(root, "no_rope_layers", where) : std::vector<double>{};
    if (listed && static_cast<index>(rotates.size()) < config.layers) {
        throw config_error(where, ": \"no_rope_layers\" names ", rotates.size(), " layers, the model has ",
                           config.layers);
    }
    index const interval = field_or<index>(root, "no_rope_layer_interval", 4, where);
    if (interval < 1) throw config_error(where, ": \"no_rope_layer_interval\" must be positive, found ", interval);
    for (index layer = 0; layer < config.layers && layer < 10'000; ++layer) {  // others are refused with all sizes
        bool const still = listed ? rotates[static_cast<std::size_t>(layer)] == 0 : (layer + 1) % interval == 0;
        if (still) config.unrotated.push_back(layer);
    }
    index const window = parse_window(root, "sliding_window", 0, where);
    if (find_field(root, "layer_types") != nullptr) {
        config.windows = parse_windows(root, config.layers, window, 0, 1, where);
    } else if (window > 0 && field_or<bool>(root, "use_sliding_window", false, where)) {
        config.windows = std::vector<index>(static_cast<std::size_t>(config.layers));
        for (index const layer : config.unrotated) config.windows[static_cast<std::size_t>(layer)] = window;
    }
    return config;
}

}  // namespace plateau::models::families
