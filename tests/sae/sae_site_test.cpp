#include <plateau/sae/sae_site.hpp>

#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace sae = plateau::sae;

TEST_CASE("hook points by other names", "[sae]") {
    for (auto const& [name, point] :
         std::vector<std::pair<std::string, std::string>>{{"blocks.2.hook_resid_pre", "blocks.1.hook_resid_post"},
                                                          {"blocks.0.hook_resid_pre", "blocks.0.hook_resid_pre"},
                                                          {"blocks.0.hook_in", "blocks.0.hook_resid_pre"},
                                                          {"blocks.12.hook_in", "blocks.11.hook_resid_post"},
                                                          {"blocks.12.hook_out", "blocks.12.hook_resid_post"},
                                                          {"blocks.12.attn.hook_out", "blocks.12.hook_attn_out"},
                                                          {"blocks.12.mlp.hook_out", "blocks.12.hook_mlp_out"},
                                                          {"blocks.3.attn.hook_z", "blocks.3.attn.hook_z"},
                                                          {"layers.3", "blocks.3.hook_resid_post"},
                                                          {"layers_3", "blocks.3.hook_resid_post"},
                                                          {"model.layers.3", "blocks.3.hook_resid_post"},
                                                          {"model.layers.3.output", "blocks.3.hook_resid_post"},
                                                          {"transformer.h.3", "blocks.3.hook_resid_post"},
                                                          {"h.3.mlp", "blocks.3.hook_mlp_out"},
                                                          {"gpt_neox.layers.3.attention", "blocks.3.hook_attn_out"},
                                                          {"model.layers.3.self_attn", "blocks.3.hook_attn_out"},
                                                          {"model.layers.3.mlp.act", "model.layers.3.mlp.act"},
                                                          {"model.embed_tokens", "hook_embed"},
                                                          {"embed.hook_out", "hook_embed"},
                                                          {"layers.", "layers."},
                                                          {"", ""}}) {
        CAPTURE(name);
        CHECK(sae::hook_point_of(name) == point);
    }
    for (std::string const site : {"blocks.1.hook_resid_pre", "hook_embed", "blocks.11.hook_mlp_out", "hook_pos_embed"})
        CHECK(sae::is_residual(site));
    for (std::string const site :
         {"blocks.1.attn.hook_z", "blocks.1.ln1.hook_normalized", "blocks.1.mlp.hook_post", "ln_final.hook_normalized"})
        CHECK_FALSE(sae::is_residual(site));
}

}  // namespace
