#pragma once
/// Granite: Llama with factors of the embedding, the scores, what is added to the residual stream, and the logits.

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

inline model_config parse_granite(json const& root, std::string const& where) {
    model_config config = parse_llama_like(root, where, 2048, 1, 2);
    config.qkv_bias = config.out_bias = field_or<bool>(root, "attention_bias", false, where);
    config.mlp_bias = field_or<bool>(root, "mlp_bias", false, where);
    config.embedding_scale = field_or<double>(root, "embedding_multiplier", 1, where);
    config.score_scale = field_or<double>(root, "attention_multiplier", 1, where);
    config.residual_scale = field_or<double>(root, "residual_multiplier", 1, where);
    double const divisor = field_or<double>(root, "logits_scaling", 1, where);
    if (divisor == 0) throw config_error(where, ": \"logits_scaling\" must not be 0");
    config.logit_scale = 1 / divisor;
    return config;
}

}  // namespace plateau::models::families
