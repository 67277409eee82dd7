#pragma once
/// The site that a sweep writes to, and the start of its rows that follows from it.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/plan.hpp>

namespace plateau::engine {

/// A resolved write site.
struct write_site {
    hooks::site at;
    int first_layer = 0;  ///< first block that rows run through, or run again
    bool direct = false;  ///< rows start as the written residual stream itself, nothing is recomputed
    bool embeds = false;  ///< rows start as tokens

    index width() const { return at.heads * at.width; }

    /// Where rows start, unless as tokens: at the write site, or where their first block does.
    hooks::site start() const {
        if (direct) return at;
        hooks::site residual;
        residual.id = hooks::site_id::resid_pre;
        residual.layer = first_layer;
        return residual;
    }

    /// Blocks that prompts run through until the write site has its value, and until rows can start.
    int layers_to_write() const { return hooks::in_block(at.id) ? at.layer + 1 : 0; }
    int layers_to_start() const { return embeds ? 0 : direct ? at.layer + 1 : first_layer + 1; }

    bool is(hooks::site const& other) const { return other.id == at.id && other.layer == at.layer; }

    /// True if rows come past a site, the write site itself included.
    bool rows_pass(hooks::site const& other) const {
        if (hooks::in_block(other.id)) return other.layer >= first_layer || is(other);
        return embeds || hooks::after_blocks(other.id);
    }

    /// Moves the rows' start to before a site.
    void start_before(hooks::site const& other) {
        if (rows_pass(other)) return;
        direct = false;
        embeds = !hooks::in_block(other.id);
        first_layer = embeds ? 0 : other.layer;
    }
};

/// @throws site_error if the name is unknown, names several sites, or one that no path can write to
write_site resolve_write_site(std::vector<hooks::site> const& sites, std::string const& name);

/// @param changes  sites that change with the point, the write site among them
/// @throws site_error if a site that is read fires before all of them
void require_read_after_change(std::vector<hooks::site> const& sites, std::vector<hooks::site> const& changes,
                               hooks::site const& read, write_site const& write);

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/write_site.ipp>
#endif
