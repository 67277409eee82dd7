#pragma once
/// Bodies of engine/write_site.hpp.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/write_site.hpp>

namespace plateau::engine {

PLATEAU_INLINE write_site resolve_write_site(std::vector<hooks::site> const& sites, std::string const& name) {
    using hooks::site_id;
    write_site result{hooks::find_site(sites, name)};
    auto const id = result.at.id;
    if (result.at.axes == hooks::site_axes::keys || hooks::after_blocks(id)) {
        throw site_error("'", name,
                         "' cannot be a write site: write to the embedding or to a vector inside of a block, "
                         "such as blocks.0.hook_resid_post");
    }
    result.direct = id == site_id::resid_pre || id == site_id::resid_post;
    result.embeds = !hooks::in_block(id);
    if (!result.embeds) result.first_layer = result.at.layer + (id == site_id::resid_post ? 1 : 0);
    return result;
}

PLATEAU_INLINE void require_read_after_change(std::vector<hooks::site> const& sites,
                                              std::vector<hooks::site> const& changes, hooks::site const& read,
                                              write_site const& write) {
    for (auto const& one : sites) {
        auto const same = [&](hooks::site const& other) { return other.id == one.id && other.layer == one.layer; };
        if (std::any_of(changes.begin(), changes.end(), same)) return;
        if (same(read)) break;
    }
    throw site_error("the read site ", read.name(), " comes before the write site ", write.at.name(),
                     ": nothing can have changed there; read at or after the write site");
}

}  // namespace plateau::engine
