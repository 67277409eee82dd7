#pragma once
/// The gates that a sweep's points come past: where each MLP's pre-activations are, and what they are made of.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/engine/write_site.hpp>

namespace plateau::sweep {

/// One block's gates: the arguments of its MLP's activation.
struct gate_site {
    int layer = 0;
    std::string pre;                          ///< the gates, [F]
    std::string reads;                        ///< the residual stream that the MLP reads, before its norm if it has one
    std::string scale = {}, normalized = {};  ///< of that norm; empty if there is none
    std::string attention = {};  ///< its block's attention output, where the point goes through it too; else empty
    index gates = 0;             ///< F
};

/// The gates behind a write site, block by block: of MLPs that read a residual stream which follows the point.
/// @throws site_error if there are none
inline std::vector<gate_site> gates_behind(std::vector<hooks::site> const& sites, std::string const& write) {
    using hooks::site_id;
    auto const from = engine::resolve_write_site(sites, write);
    auto const find = [&](site_id id, int layer) {
        return std::find_if(sites.begin(), sites.end(), [&](auto const& s) { return s.id == id && s.layer == layer; });
    };
    auto const written = find(from.at.id, from.at.layer);
    std::vector<gate_site> all;
    for (auto const& pre : sites) {
        if (pre.id != site_id::mlp_pre) continue;
        int const layer = pre.layer;
        auto const there = [&](site_id id) { return find(id, layer) != sites.end(); };
        bool const parallel = !there(site_id::resid_mid);
        auto const reads = find(parallel ? site_id::resid_pre : site_id::resid_mid, layer);
        if (reads < written) continue;
        gate_site one{.layer = layer, .pre = pre.name(), .reads = reads->name(), .gates = pre.width};
        bool const own_norm = there(site_id::ln2_scale);  // a parallel block's MLP may share the attention's
        if (own_norm || (parallel && there(site_id::ln1_scale))) {
            one.scale = find(own_norm ? site_id::ln2_scale : site_id::ln1_scale, layer)->name();
            one.normalized = find(own_norm ? site_id::ln2_normalized : site_id::ln1_normalized, layer)->name();
        }
        bool const past_attention = from.at.layer == layer && from.at.id >= site_id::attn_out;
        if (!parallel && !past_attention) one.attention = find(site_id::attn_out, layer)->name();
        all.push_back(std::move(one));
    }
    if (all.empty())
        throw site_error("no MLP's gates (mlp.hook_pre) follow what is written at ", from.at.name(),
                         ": write earlier, if this model has any");
    return all;
}

}  // namespace plateau::sweep
