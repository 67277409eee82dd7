#pragma once
/// Names of the site that a sparse autoencoder was trained at, as its makers write them.

#include <cstdlib>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>

namespace plateau::sae {

namespace detail {

/// The number that `text` begins with, after `prefix`; -1 without one. Both are taken from the front of `text`.
inline int take_number(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return -1;
    auto const digits = text.substr(prefix.size());
    auto const end = digits.find_first_not_of("0123456789");
    auto const count = end == std::string_view::npos ? digits.size() : end;
    if (count == 0 || count > 6) return -1;
    text = digits.substr(count);
    return std::atoi(std::string(digits.substr(0, count)).c_str());
}

}  // namespace detail

/// The hook point that a name stands for, with the output of one block for the input of the next:
///     blocks.2.hook_resid_pre, blocks.1.hook_out, layers.1, model.layers.1.output, transformer.h.1
///                                                                        → blocks.1.hook_resid_post
///     layers.1.mlp → blocks.1.hook_mlp_out      layers.1.self_attn → blocks.1.hook_attn_out
///     model.embed_tokens, transformer.wte → hook_embed
/// A module's output is what it gives to the block: in models with a norm behind it that is not the hook point.
/// Other names stay as they are.
/// @see TransformerLens 2 and 3; sparsify names modules of transformers, Gemma Scope 2 their outputs
inline std::string hook_point_of(std::string const& name) {
    std::string_view rest = name;
    if (int const block = detail::take_number(rest, "blocks."); block >= 0) {
        auto const at = concat({"blocks.", block});
        if (rest == ".hook_resid_pre" || rest == ".hook_in")
            return block > 0 ? concat({"blocks.", block - 1, ".hook_resid_post"}) : at + ".hook_resid_pre";
        if (rest == ".hook_out") return at + ".hook_resid_post";
        if (rest == ".attn.hook_out") return at + ".hook_attn_out";
        if (rest == ".mlp.hook_out") return at + ".hook_mlp_out";
        return name;
    }
    if (name == "embed.hook_out") return "hook_embed";
    if (rest.ends_with(".output")) rest.remove_suffix(std::string_view{".output"}.size());
    for (std::string_view const root : {"model.", "transformer.", "gpt_neox.", "decoder."}) {
        if (rest.starts_with(root)) rest.remove_prefix(root.size());
    }
    if (rest == "embed_tokens" || rest == "wte" || rest == "embed_in") return "hook_embed";
    for (std::string_view const list : {"layers.", "layers_", "h."}) {
        int const block = detail::take_number(rest, list);
        if (block < 0) continue;
        auto const at = concat({"blocks.", block});
        if (rest.empty()) return at + ".hook_resid_post";
        if (rest == ".mlp") return at + ".hook_mlp_out";
        if (rest == ".self_attn" || rest == ".attn" || rest == ".attention") return at + ".hook_attn_out";
    }
    return name;
}

/// Whether an activation there is a part of the residual stream, or what is added to it: what centred writing weights
/// take the mean from.
inline bool is_residual(std::string const& site) {
    std::string_view rest = site;
    if (detail::take_number(rest, "blocks.") >= 0 && rest.starts_with('.')) rest.remove_prefix(1);
    for (std::string_view const one :
         {"hook_resid_pre", "hook_resid_mid", "hook_resid_post", "hook_embed", "hook_pos_embed", "hook_attn_out",
          "hook_mlp_out", "hook_attn_in", "hook_mlp_in"}) {
        if (rest == one) return true;
    }
    return false;
}

}  // namespace plateau::sae
