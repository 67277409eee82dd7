#pragma once
/// GPT-Neo (and TinyStories): global and local attention in turn, scores that are not scaled.

#include <plateau/models/families/family.hpp>

namespace plateau::models::families {

/// "attention_types": [[["global", "local"], 12]] is that pair of kinds 12 times. The windows of all layers.
inline std::vector<index> parse_attention_types(json const& root, index layers, index window,
                                                std::string const& where) {
    auto const malformed = [&] {
        return config_error{
            where, ": \"attention_types\" must look like [[[\"global\", \"local\"], 12]], of global and local alone"};
    };
    std::vector<index> windows;
    json const* const types = find_field(root, "attention_types");
    if (types == nullptr) {
        for (index layer = 0; layer < layers; ++layer) windows.push_back(layer % 2 == 1 ? window : 0);
        return windows;
    }
    if (!types->is_array()) throw malformed();
    for (json const& group : elements_of(*types)) {
        auto const [kinds, times] = pair_of(group);
        if (kinds == nullptr || !kinds->is_array() || !json_is<index>(*times) || value_of<index>(*times) > layers)
            throw malformed();
        for (index i = 0; i < value_of<index>(*times); ++i) {
            for (json const& kind : elements_of(*kinds)) {
                std::string_view const name = kind.is_string() ? text_of(kind) : std::string_view{};
                if (name != "global" && name != "local") throw malformed();
                windows.push_back(name == "local" ? window : 0);
            }
        }
    }
    if (static_cast<index>(windows.size()) != layers) {
        throw config_error(where, ": \"attention_types\" names ", windows.size(), " layers, \"num_layers\" is ",
                           layers);
    }
    return windows;
}

inline model_config parse_gpt_neo(json const& root, std::string const& where) {
    refuse_general_options(root, where);
    model_config config;
    config.layers = field<index>(root, "num_layers", where);
    config.d_model = field<index>(root, "hidden_size", where);
    config.heads = config.kv_heads = field<index>(root, "num_heads", where);
    config.d_head = equal_heads(config, where);
    config.d_mlp = parse_inner_width(root, "intermediate_size", config, where);
    config.vocab = field<index>(root, "vocab_size", where);
    config.context = field_or<index>(root, "max_position_embeddings", 2048, where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_epsilon", 1e-5, where);
    config.act = parse_activation(root, "activation_function", "gelu_new", where);
    config.learned_positions = true;
    config.tied_head = field_or<bool>(root, "tie_word_embeddings", true, where);
    config.out_bias = config.mlp_bias = true;
    config.score_scale = 1;
    if (config.layers > 0 && config.layers < 10'000) {  // others are refused with all sizes
        config.windows =
            parse_attention_types(root, config.layers, parse_window(root, "window_size", 256, where), where);
    }
    config.init_scale = field_or<double>(root, "initializer_range", 0.02, where);
    config.bos = parse_token_ids(root, "bos_token_id", 50256, where);
    config.eos = parse_token_ids(root, "eos_token_id", 50256, where);
    return config;
}

inline constexpr tensor_names gpt_neo_tensors{
    .prefixes = {"transformer.", ""},
    .embedding = "wte",
    .positions = "wpe",
    .final_norm = "ln_f",
    .layers = "h.",
    .norm1 = "ln_1",
    .norm2 = "ln_2",
    .query = "attn.attention.q_proj",
    .key = "attn.attention.k_proj",
    .value = "attn.attention.v_proj",
    .output = "attn.attention.out_proj",
    .in = "mlp.c_fc",
    .out = "mlp.c_proj",
    .ignored = {"*.attn.attention.bias", "*.attn.attention.masked_bias"},
};

}  // namespace plateau::models::families
