#pragma once
/// Phi-3: Llama with q, k and v in one matrix, gate and in another, and a sliding window.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_phi3(json const& root, std::string const& where) {
    model_config config = parse_llama_like(
        root, where, 4096, 1, 32000, {.fraction = "partial_rotary_factor", .original = 4096, .renames_longrope = true});
    config.norm_eps = field_or<double>(root, "rms_norm_eps", 1e-5, where);
    config.windows = parse_windows(root, config.layers, parse_window(root, "sliding_window", 0, where), 0, 1, where);
    return config;
}

inline constexpr tensor_names phi3_tensors{
    .layout = qkv_layout::stacked,
    .qkv = "self_attn.qkv_proj",
    .gate_and_in = "mlp.gate_up_proj",
};

}  // namespace plateau::models::families
