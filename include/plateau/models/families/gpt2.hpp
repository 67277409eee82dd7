#pragma once
/// GPT-2: LayerNorm, learned positions, plain feed-forward; matrices stored as Conv1D, [inputs, outputs].

#include <memory>
#include <string>

#include <plateau/models/families/llama.hpp>

namespace plateau::models::families {

/// @throws file_error on missing, misshaped or unknown tensors
template <class Context, class T>
transformer<Context, T> assemble_gpt2(Context const& ctx, io::model_config const& c, weight_loader<Context, T>& load) {
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
    // rows [first, first + outputs) of the layer that `name` holds, `all` outputs in one matrix
    auto const conv1d = [&](std::string const& name, index inputs, index all, index first, index outputs) {
        return nn::linear<Context, T>{load.transposed(name + ".weight", inputs, all, first, outputs),
                                      load.values(name + ".bias", all, first, outputs)};
    };
    model.final_norm = norm("ln_f");
    model.blocks = std::vector<standard_block<Context, T>>(static_cast<std::size_t>(c.layers));
    parallel_for(ctx.threads(), c.layers, [&](index layer, int) {
        std::string const at = concat({"h.", layer, "."});
        auto& block = model.blocks[static_cast<std::size_t>(layer)];
        index const d = c.d_model;
        block.norm1 = norm(at + "ln_1");
        block.norm2 = norm(at + "ln_2");
        block.attend.shape = make_attention_shape<T>(c, static_cast<int>(layer));
        block.attend.query = conv1d(at + "attn.c_attn", d, 3 * d, 0, d);
        block.attend.key = conv1d(at + "attn.c_attn", d, 3 * d, d, d);
        block.attend.value = conv1d(at + "attn.c_attn", d, 3 * d, 2 * d, d);
        block.attend.output = conv1d(at + "attn.c_proj", d, d, 0, d);
        block.feed_forward.act = c.act;
        block.feed_forward.in = conv1d(at + "mlp.c_fc", d, c.d_mlp, 0, c.d_mlp);
        block.feed_forward.out = conv1d(at + "mlp.c_proj", c.d_mlp, d, 0, d);
    });
    load.ignore({"*.attn.bias", "*.attn.masked_bias"});
    if (c.tied_head) load.ignore({"lm_head.weight"});
    load.require_all_used();
    return model;
}

}  // namespace plateau::models::families
