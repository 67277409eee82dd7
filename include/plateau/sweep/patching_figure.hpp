#pragma once
/// The figure of activation patching: effects by layer and position, and by layer and head.

#include <vector>

#include <plateau/models/readable.hpp>
#include <plateau/sweep/activation_patching.hpp>
#include <plateau/viz/heat_maps.hpp>

namespace plateau::sweep {

/// The four matrices, positions under the tokens there: where the prompts differ that of the clean one over the
/// corrupted one's. @param effects  have to live as long      @param prompts  the clean and the corrupted one
inline viz::heat_figure patching_figure(patching_effects const& effects, models::model_texts const& texts,
                                        prompt_list const& prompts) {
    std::vector<viz::column_label> positions;
    for (std::size_t t = 0; t < prompts[0].size(); ++t) {
        token_id const clean = prompts[0][t], corrupted = prompts[1][t];
        auto const other = clean != corrupted ? " / " + models::token_text(texts, corrupted) : "";
        positions.push_back({models::token_text(texts, clean) + other, clean != corrupted});
    }
    auto const by_position = [&](char const* title, tensor::buffer<double, 2> const& values) {
        return viz::heat_map{title, values.view(), positions, "position: token (clean / corrupted)", "layer"};
    };
    return {.subtitle =
                "part of the clean prompt's logit difference that one patched activation brings back to the "
                "corrupted prompt",
            .maps = {by_position("hook_resid_pre", effects.resid_pre),
                     by_position("hook_attn_out", effects.attn_out),
                     by_position("hook_mlp_out", effects.mlp_out),
                     {"attn.hook_z of one head", effects.head_z.view(), {}, "head, at all positions", "layer"}}};
}

}  // namespace plateau::sweep
