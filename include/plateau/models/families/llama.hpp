#pragma once
/// Llama 1 to 3, SmolLM2, Qwen2: RMSNorm, rotary positions, gated feed-forward, grouped keys and values.

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include <plateau/io/config/schema.hpp>
#include <plateau/models/transformer.hpp>
#include <plateau/models/weight_loader.hpp>

namespace plateau::models::families {

/// The rotary frequencies that a configuration describes.
inline std::shared_ptr<nn::rope const> make_rope(io::model_config const& config) {
    auto const& r = config.rope;
    switch (r.kind) {
        case io::rope_kind::none: return nullptr;
        case io::rope_kind::linear:
            return std::make_shared<nn::rope>(nn::rope::linear(config.d_head, r.theta, r.factor));
        case io::rope_kind::llama3:
            return std::make_shared<nn::rope>(nn::rope::llama3(config.d_head, r.theta, r.factor, r.low_freq_factor,
                                                               r.high_freq_factor, r.original_context));
        default: return std::make_shared<nn::rope>(nn::rope::standard(config.d_head, r.theta));
    }
}

/// 1/√E, or what the configuration makes of it. @param layer  of the block
template <class T>
backend::attention_shape<T> make_attention_shape(io::model_config const& config, int layer) {
    double scale = config.scale_attention ? 1 / std::sqrt(static_cast<double>(config.d_head)) : 1;
    if (config.scale_by_inverse_layer) scale /= layer + 1;
    return {config.heads, config.kv_heads, config.d_head, static_cast<T>(scale)};
}

/// @throws file_error on missing, misshaped or unknown tensors
template <class Context, class T>
[[gnu::cold]] transformer<Context, T> assemble_llama(io::model_config const& c, weight_loader<Context, T>& load) {
    load.find_prefix("layers.0.input_layernorm.weight", {"model.", ""});
    using weight = typename Context::template weight<T>;
    transformer<Context, T> model;
    model.context_length = c.context;
    bool const has_embedding = load.contains("embed_tokens.weight");
    if (c.tied_head && !has_embedding) {  // the published file may hold the shared matrix under its other name alone
        model.embedding = std::make_shared<weight const>(load.top_level_matrix("lm_head.weight", c.vocab, c.d_model));
    } else {
        model.embedding = std::make_shared<weight const>(load.matrix("embed_tokens.weight", c.vocab, c.d_model));
    }
    model.unembedding = c.tied_head ? model.embedding
                                    : std::make_shared<weight const>(
                                          load.top_level_matrix("lm_head.weight", c.vocab, c.d_model));
    model.final_norm = {norm_kind::rms, c.norm_eps, load.values("norm.weight", c.d_model)};
    auto const rotary = make_rope(c);
    model.blocks = std::vector<standard_block<Context, T>>(static_cast<std::size_t>(c.layers));
    for (index layer = 0; layer < c.layers; ++layer) {
        std::string const at = concat({"layers.", layer, "."});
        auto& block = model.blocks[static_cast<std::size_t>(layer)];
        index const q = c.heads * c.d_head, kv = c.kv_heads * c.d_head;
        block.norm1 = {norm_kind::rms, c.norm_eps, load.values(at + "input_layernorm.weight", c.d_model)};
        block.norm2 = {norm_kind::rms, c.norm_eps, load.values(at + "post_attention_layernorm.weight", c.d_model)};
        block.attend.shape = make_attention_shape<T>(c, static_cast<int>(layer));
        block.attend.rotary = rotary;
        block.attend.query = load.linear(at + "self_attn.q_proj", q, c.d_model, c.qkv_bias);
        block.attend.key = load.linear(at + "self_attn.k_proj", kv, c.d_model, c.qkv_bias);
        block.attend.value = load.linear(at + "self_attn.v_proj", kv, c.d_model, c.qkv_bias);
        block.attend.output = load.linear(at + "self_attn.o_proj", c.d_model, q, c.out_bias);
        block.feed_forward.act = c.act;
        block.feed_forward.gated = true;
        block.feed_forward.gate = load.linear(at + "mlp.gate_proj", c.d_mlp, c.d_model, c.mlp_bias);
        block.feed_forward.in = load.linear(at + "mlp.up_proj", c.d_mlp, c.d_model, c.mlp_bias);
        block.feed_forward.out = load.linear(at + "mlp.down_proj", c.d_model, c.d_mlp, c.mlp_bias);
    }
    load.ignore({"*rotary_emb.inv_freq"});
    if (c.tied_head) load.ignore({"lm_head.weight"});
    load.require_all_used();
    return model;
}

}  // namespace plateau::models::families
