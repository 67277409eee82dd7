#pragma once
/// The hooks of a sweep, told apart: what looks, what belongs to the prefix, what is the rows' own.

#include <algorithm>
#include <vector>

#include <plateau/sweep/write_site.hpp>

namespace plateau::sweep {

/// What a hook set asks of a sweep beside firing. Empty if its hooks only look.
template <class T>
struct interventions {
    hooks::hook_set<T> steady;  ///< the same for all points of a path: the prefix runs with them too
    bool by_prompt = false;     ///< not the same for all prompts with the same tokens
    bool any = false;
    std::vector<hooks::positions>
        moved;  ///< positions that rows must own, since hooks there differ from point to point

    /// @param sites  of the model      @param write  the write site; rows start earlier if a hook that differs from
    /// point to point does
    /// @throws site_error on sites that the model does not have, that are read before anything changed, or that rows of
    ///         a `depends_on::row` hook do not come past
    [[gnu::cold]] interventions(hooks::hook_set<T> const& set, std::vector<hooks::site> const& sites,
                                write_site& write) {
        std::vector<hooks::site> changing{write.at};
        for (auto const& one : set.hooks()) {
            if (!one.reads_only) sort_in(one, hooks::matching_sites(sites, one.pattern), write, changing);
        }
        for (auto const& one : set.hooks()) {
            if (!one.reads_only) continue;
            for (auto const& at : hooks::matching_sites(sites, one.pattern))
                require_read_after_change(sites, changing, at, write);
        }
    }

private:
    [[gnu::cold]] void sort_in(hooks::hook<T> const& one, std::vector<hooks::site> const& at, write_site& write,
                               std::vector<hooks::site>& changing) {
        any = true;
        if (one.depends == hooks::depends_on::position || one.depends == hooks::depends_on::prompt) {
            by_prompt |= one.depends == hooks::depends_on::prompt;
            steady = steady | hooks::hook_set<T>{one};
            return;
        }
        for (auto const& site : at) {
            if (one.depends == hooks::depends_on::row && !write.rows_pass(site)) {
                throw site_error("the hook at ", site.name(),
                                 " changes rows of a sweep, which start after it: write at ", write.at.name(),
                                 " or earlier, or let it change every position");
            }
            write.start_before(site);
            changing.push_back(site);
        }
        if (one.depends == hooks::depends_on::point) moved.push_back(one.touched);
    }
};

}  // namespace plateau::sweep
