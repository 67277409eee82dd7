#pragma once
/// What a sweep may write to, and where its rows therefore start.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/hooks/plan.hpp>

namespace plateau::sweep {

/// A pair of prompts, by number: rows run in the context of the first.
struct prompt_pair {
    index context;
    index other;
};

/// A resolved write site.
struct write_site {
    hooks::site at;
    int first_layer = 0;  ///< first block that rows run through, or run again
    bool direct = false;  ///< rows start as the written residual stream itself, nothing is recomputed

    index width() const { return at.heads * at.width; }
};

/// @throws site_error if the name is unknown, names several sites, or one that no path can write to
[[gnu::cold]] inline write_site resolve_write_site(std::vector<hooks::site> const& sites, std::string const& name) {
    using hooks::site_id;
    write_site result{hooks::find_site(sites, name)};
    auto const id = result.at.id;
    if (result.at.axes == hooks::site_axes::keys || id >= site_id::ln_final_scale) {
        throw site_error{"'", name,
                         "' cannot be a write site: write to the embedding or to a vector inside of a block, "
                         "such as blocks.0.hook_resid_post"};
    }
    result.direct = id == site_id::resid_pre || id == site_id::resid_post;
    if (hooks::in_block(id)) result.first_layer = result.at.layer + (id == site_id::resid_post ? 1 : 0);
    return result;
}

/// @throws site_error if a hook reads a site that fires before the write site
template <class T>
void require_reads_after_write(std::vector<hooks::site> const& sites, write_site const& write,
                               hooks::hook_set<T> const& reads) {
    auto const order = [&](hooks::site const& s) {
        return std::find_if(sites.begin(), sites.end(),
                            [&](auto const& one) { return one.id == s.id && one.layer == s.layer; });
    };
    for (auto const& read : reads.hooks()) {
        for (auto const& at : hooks::matching_sites(sites, read.pattern)) {
            if (order(at) < order(write.at)) {
                throw site_error{"the read site ", at.name(), " comes before the write site ", write.at.name(),
                                 ": nothing can have changed there; read at or after the write site"};
            }
        }
    }
}

}  // namespace plateau::sweep
