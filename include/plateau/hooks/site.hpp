#pragma once
/// The points of a forward pass at which one may look and touch, under TransformerLens' names.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::hooks {

/// Every hook point, in firing order: embedding, one block, final norm and unembedding.
enum class site_id : std::uint8_t {
    embed,
    pos_embed,
    resid_pre,
    attn_in,
    q_input,
    k_input,
    v_input,
    ln1_scale,
    ln1_normalized,
    ln1_out,
    q,
    k,
    v,
    q_norm_scale,
    q_norm_normalized,
    q_norm_out,
    k_norm_scale,
    k_norm_normalized,
    k_norm_out,
    rot_q,
    rot_k,
    attn_scores,
    pattern,
    z,
    result,
    ln1_post_scale,
    ln1_post_normalized,
    ln1_post_out,
    attn_out,
    resid_mid,
    mlp_in,
    ln2_scale,
    ln2_normalized,
    ln2_out,
    mlp_pre,
    mlp_pre_linear,
    mlp_post,
    ln2_post_scale,
    ln2_post_normalized,
    ln2_post_out,
    mlp_out,
    resid_post,
    ln_final_scale,
    ln_final_normalized,
    ln_final_out,
    unembed_in,
    unembed_out,
    logits,
};

inline constexpr std::size_t site_count = static_cast<std::size_t>(site_id::logits) + 1;

/// Hook points of parts of your own, within a block: number 0 to 15, each with a name that the part gives when it lists
/// it. Parts of one block have different numbers.
constexpr site_id own_site(int number) { return static_cast<site_id>(site_count + static_cast<std::size_t>(number)); }
inline constexpr int own_sites = 64 - static_cast<int>(site_count);

/// TransformerLens' name; within a block without the prefix `blocks.{i}.`.
/// @pre id is none of own_site
constexpr std::string_view short_name(site_id id) {
    constexpr std::array<std::string_view, site_count> names{
        "hook_embed",
        "hook_pos_embed",
        "hook_resid_pre",
        "hook_attn_in",
        "hook_q_input",
        "hook_k_input",
        "hook_v_input",
        "ln1.hook_scale",
        "ln1.hook_normalized",
        "ln1.hook_out",
        "attn.hook_q",
        "attn.hook_k",
        "attn.hook_v",
        "attn.q_norm.hook_scale",
        "attn.q_norm.hook_normalized",
        "attn.q_norm.hook_out",
        "attn.k_norm.hook_scale",
        "attn.k_norm.hook_normalized",
        "attn.k_norm.hook_out",
        "attn.hook_rot_q",
        "attn.hook_rot_k",
        "attn.hook_attn_scores",
        "attn.hook_pattern",
        "attn.hook_z",
        "attn.hook_result",
        "ln1_post.hook_scale",
        "ln1_post.hook_normalized",
        "ln1_post.hook_out",
        "hook_attn_out",
        "hook_resid_mid",
        "hook_mlp_in",
        "ln2.hook_scale",
        "ln2.hook_normalized",
        "ln2.hook_out",
        "mlp.hook_pre",
        "mlp.hook_pre_linear",
        "mlp.hook_post",
        "ln2_post.hook_scale",
        "ln2_post.hook_normalized",
        "ln2_post.hook_out",
        "hook_mlp_out",
        "hook_resid_post",
        "ln_final.hook_scale",
        "ln_final.hook_normalized",
        "ln_final.hook_out",
        "unembed.hook_in",
        "unembed.hook_out",
        "hook_logits",
    };
    return names[static_cast<std::size_t>(id)];
}

/// The sites of the embedding and of the final norm and unembedding belong to no block.
constexpr bool in_block(site_id id) {
    return (id >= site_id::resid_pre && id <= site_id::resid_post) || id > site_id::logits;
}
/// Those of the final norm and what follows it.
constexpr bool after_blocks(site_id id) { return id >= site_id::ln_final_scale && !in_block(id); }

/// Copies of the residual stream for each reader of it, and each head's part of the attention's output: sites that cost
/// what H other sites do, and work that nobody else needs. A pattern that ends with a wildcard does not find them.
constexpr bool explicit_only(site_id id) {
    return (id >= site_id::attn_in && id <= site_id::v_input) || id == site_id::result || id == site_id::mlp_in;
}

/// The axes that follow the position, [A] or [A, B]; scores and patterns are [heads, key positions]. Where heads come
/// first the array of a whole prompt has them before the positions.
enum class site_axes : std::uint8_t { vector, heads, heads_first, keys };

/// One hook point of one model.
struct site {
    site_id id{};
    int layer = -1;  ///< block, or -1 outside of the blocks
    site_axes axes = site_axes::vector;
    index heads = 1;  ///< A of the two axes, 1 for a plain vector
    index width = 0;  ///< extent of the last axis; 0 for key positions, whose number depends on the prompt
    std::string_view own_name = {};  ///< of an own site, after "blocks.{i}.", as in "mlp.hook_squared"; a literal

    /// "blocks.3.attn.hook_q"
    std::string name() const;

    /// "[N,T,9,64]": TransformerLens' shape.
    std::string shape_text() const;
};

/// Appends a site to the list of a model's. @throws usage_error if it is there already: two own parts with one number
void add_site(std::vector<site>& sites, site const& added);

/// What a row of a block is.
struct row_id {
    index item = 0;      ///< pair of a sweep, or prompt of a forward pass
    index point = 0;     ///< point on the pair's path; 0 in a forward pass
    index position = 0;  ///< position in the prompt
    bool last = false;   ///< the prompt's last position
    bool reference_copy =
        false;           ///< a reference row evaluated again in a later block of its pair; its bits are the same
    index prompt = -1;   ///< the prompt that the row runs in; -1 if that is the item
    index length = 0;    ///< tokens of that prompt; 0 if it is still growing
    index points = 1;    ///< on the pair's path
    index tangent = -1;  ///< of a row of tangents: its number at the point; −1 for a row of values

    index its_prompt() const { return prompt < 0 ? item : prompt; }
};

}  // namespace plateau::hooks

#if !PLATEAU_COMPILED
#include <plateau/hooks/impl/site.ipp>
#endif
