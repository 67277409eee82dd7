#pragma once
/// The hook points of an attention.

#include <vector>

#include <plateau/nn/norm.hpp>

namespace plateau::nn {

/// Appends them in firing order, but those of single heads' inputs, which come before the norm.
template <class Attention>
void list_attention_sites(Attention const& attention, std::vector<hooks::site>& sites, int layer) {
    using hooks::site_axes;
    using hooks::site_id;
    index const heads = attention.shape.heads, kv_heads = attention.shape.kv_heads, width = attention.shape.width;
    auto const list = [&](site_id id, index count) {
        hooks::add_site(sites, {id, layer, site_axes::heads, count, width});
    };
    auto const list_norm = [&](auto const& norm, site_id scale, index count) {
        bool const by_head = attention.norms_by_head;
        if (norm)
            norm->list(sites, layer, norm_sites_from(scale), by_head ? width : count * width, by_head ? count : 0);
    };
    list(site_id::q, heads);
    list(site_id::k, kv_heads);
    list(site_id::v, kv_heads);
    list_norm(attention.query_norm, site_id::q_norm_scale, heads);
    list_norm(attention.key_norm, site_id::k_norm_scale, kv_heads);
    if (attention.rotary) {
        list(site_id::rot_q, heads);
        list(site_id::rot_k, kv_heads);
    }
    hooks::add_site(sites, {site_id::attn_scores, layer, site_axes::keys, heads, 0});
    hooks::add_site(sites, {site_id::pattern, layer, site_axes::keys, heads, 0});
    list(site_id::z, heads);
    hooks::add_site(sites, {site_id::result, layer, site_axes::heads, heads, attention.output.weight.outputs()});
}

}  // namespace plateau::nn
