#pragma once
/// The hooks of a sweep by their roles: those that look, those that the prefix has too, those of the rows alone.

#include <algorithm>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/write_site.hpp>

namespace plateau::engine {

/// What a hook set asks of a sweep beside firing. Empty if its hooks only look.
template <class T>
struct hook_roles {
    hooks::hook_set<T> prefix_hooks;  ///< the same for all points of a path: the prefix runs with them too
    bool prompt_dependent = false;    ///< not the same for all prompts with the same tokens
    bool changes_values = false;
    bool whole_items = false;                       ///< somebody wants all points of a pair in one block
    std::vector<hooks::positions> point_dependent;  ///< positions that rows must own: hooks there differ by point

    /// @param sites  of the model
    /// @param write  the write site; rows start earlier if a hook that differs from point to point does
    /// @throws site_error on sites that the model does not have, that are read before anything changed, or that rows of
    ///         a `depends_on::row` hook do not come past
    PLATEAU_RARE hook_roles(hooks::hook_set<T> const& set, std::vector<hooks::site> const& sites, write_site& write) {
        std::vector<hooks::site> changing{write.at};
        for (auto const& hook : set.hooks()) {
            whole_items |= hook.whole_items;
            if (!hook.reads_only) classify(hook, hooks::matching_sites(sites, hook.pattern), write, changing);
        }
        for (auto const& hook : set.hooks()) {
            if (!hook.reads_only) continue;
            for (auto const& at : hooks::matching_sites(sites, hook.pattern)) {
                require_read_after_change(sites, changing, at, write);
            }
        }
    }

private:
    PLATEAU_RARE void classify(hooks::hook<T> const& hook, std::vector<hooks::site> const& at, write_site& write,
                               std::vector<hooks::site>& changing) {
        changes_values = true;
        if (hook.depends == hooks::depends_on::position || hook.depends == hooks::depends_on::prompt) {
            prompt_dependent |= hook.depends == hooks::depends_on::prompt;
            prefix_hooks = prefix_hooks | hooks::hook_set<T>{hook};
            return;
        }
        for (auto const& site : at) {
            if (hook.depends == hooks::depends_on::row && !write.rows_pass(site)) {
                throw site_error("the hook at ", site.name(),
                                 " changes rows of a sweep, which start after it: write at ", write.at.name(),
                                 " or earlier, or let it change every position");
            }
            write.start_before(site);
            changing.push_back(site);
        }
        if (hook.depends == hooks::depends_on::point) point_dependent.push_back(hook.touched);
    }
};

}  // namespace plateau::engine
