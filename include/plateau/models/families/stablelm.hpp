#pragma once
/// StableLM: LayerNorm, partial rotary positions, a gated MLP.
/// Attention and MLP stand in parallel behind one norm or one after the other; every head's queries and keys may be
/// normalised.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_stablelm(json const& root, std::string const& where) {
    model_config config =
        parse_llama_like(root, where, 4096, 0, 0, {.fraction = "partial_rotary_factor", .default_fraction = 0.25});
    config.d_head = equal_heads(config, where);
    config.norm = norm_kind::layer;
    config.norm_eps = field_or<double>(root, "layer_norm_eps", 1e-5, where);
    config.qkv_bias = field_or<bool>(root, "use_qkv_bias", false, where);
    if (field_or<bool>(root, "qk_layernorm", false, where)) config.qk_norm = qk_norm_kind::own_head;
    config.parallel = config.shared_norm = field_or<bool>(root, "use_parallel_residual", false, where);
    return config;
}

inline constexpr tensor_names stablelm_tensors{
    .query_norm = "self_attn.q_layernorm.norms.",
    .key_norm = "self_attn.k_layernorm.norms.",
};

}  // namespace plateau::models::families
