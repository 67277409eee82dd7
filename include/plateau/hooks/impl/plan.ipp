#pragma once
/// Bodies of hooks/plan.hpp.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/plan.hpp>

namespace plateau::hooks {

PLATEAU_INLINE std::vector<site> matching_sites(std::vector<site> const& sites, std::string const& pattern) {
    std::vector<site> found;
    for (auto const& candidate : sites) {
        if (selects(pattern, candidate)) found.push_back(candidate);
    }
    if (!found.empty()) return found;
    std::vector<std::string> names;
    for (auto const& candidate : sites) names.push_back(candidate.name());
    throw site_error("this model has no hook point '", pattern, "'; the nearest are ",
                     join(nearest_names(pattern, names)), " (model.sites() and `activations --list` have all of them)");
}

PLATEAU_INLINE site find_site(std::vector<site> const& sites, std::string const& name) {
    auto const found = matching_sites(sites, name);
    if (found.size() > 1) {
        throw site_error("'", name, "' names ", found.size(),
                         " hook points, here only one is meant: "
                         "give its full name, such as ",
                         found.front().name());
    }
    return found.front();
}

}  // namespace plateau::hooks
