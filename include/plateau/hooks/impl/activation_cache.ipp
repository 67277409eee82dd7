#pragma once
/// Bodies of hooks/activation_cache.hpp.

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/activation_cache.hpp>

namespace plateau::hooks {

PLATEAU_INLINE std::vector<site> selected_sites(std::vector<site> const& all,
                                                std::vector<std::string> const& patterns) {
    for (auto const& pattern : patterns) matching_sites(all, pattern);
    std::vector<site> chosen;
    for (auto const& at : all) {
        bool const named = std::any_of(patterns.begin(), patterns.end(), [&](auto const& p) { return selects(p, at); });
        if (named) chosen.push_back(at);
    }
    return chosen;
}

}  // namespace plateau::hooks
