#pragma once
/// GPT-2: LayerNorm, learned positions, plain feed-forward; matrices stored as Conv1D, [inputs, outputs].

#include <memory>
#include <string>

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

/// @throws file_error on missing, misshaped or unknown tensors
template <class Context, class T>
[[gnu::cold]] transformer<Context, T> assemble_gpt2(io::model_config const& c, weight_loader<Context, T>& load) {
    load.find_prefix("h.0.ln_1.weight", {"transformer.", ""});
    using weight = typename Context::template weight<T>;
    transformer<Context, T> model;
    model.context_length = c.context;
    model.embedding = std::make_shared<weight const>(load.matrix("wte.weight", c.vocab, c.d_model));
    model.positions = load.matrix("wpe.weight", c.context, c.d_model);
    model.unembedding = c.tied_head ? model.embedding
                                    : std::make_shared<weight const>(
                                          load.top_level_matrix("lm_head.weight", c.vocab, c.d_model));
    auto const norm = [&](std::string const& name) {
        return nn::norm<Context, T>{norm_kind::layer, c.norm_eps, load.values(name + ".weight", c.d_model),
                                    load.values(name + ".bias", c.d_model)};
    };
    model.final_norm = norm("ln_f");
    model.blocks = std::vector<standard_block<Context, T>>(static_cast<std::size_t>(c.layers));
    for (index layer = 0; layer < c.layers; ++layer) {
        std::string const at = concat({"h.", layer, "."});
        auto& block = model.blocks[static_cast<std::size_t>(layer)];
        index const d = c.d_model;
        block.norm1 = norm(at + "ln_1");
        block.norm2 = norm(at + "ln_2");
        block.attend.shape = make_attention_shape<T>(c, static_cast<int>(layer));
        load.conv1d(at + "attn.c_attn", d, {{&block.attend.query, d}, {&block.attend.key, d}, {&block.attend.value, d}});
        load.conv1d(at + "attn.c_proj", d, {{&block.attend.output, d}});
        block.feed_forward.act = c.act;
        load.conv1d(at + "mlp.c_fc", d, {{&block.feed_forward.in, c.d_mlp}});
        load.conv1d(at + "mlp.c_proj", c.d_mlp, {{&block.feed_forward.out, d}});
    }
    load.ignore({"*.attn.bias", "*.attn.masked_bias"});
    if (c.tied_head) load.ignore({"lm_head.weight"});
    load.require_all_used();
    return model;
}

}  // namespace plateau::models::families
