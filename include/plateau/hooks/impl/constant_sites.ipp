#pragma once
/// Bodies of hooks/constant_sites.hpp.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/hooks/constant_sites.hpp>
#include <plateau/hooks/plan.hpp>

namespace plateau::hooks {

PLATEAU_INLINE constant_sites::constant_sites(std::vector<std::string> const& parts, std::vector<site> const& sites) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> names{{
        {"attn_out", "blocks.*.hook_attn_out"},
        {"pattern", "blocks.*.attn.hook_pattern"},
        {"mlp_out", "blocks.*.hook_mlp_out"},
        {"norm_scale", "*hook_scale"},
    }};
    for (auto const& part : parts) {
        if (part == "gate") {
            gates_ = true;
            continue;
        }
        std::string pattern = part;
        for (auto const& [name, sites_of_it] : names) {
            if (part == name) pattern = sites_of_it;
        }
        if (part == "norm_scale" &&
            std::none_of(sites.begin(), sites.end(), [&](site const& at) { return matches(pattern, at.name()); })) {
            continue;  // a model without norms: nothing to hold
        }
        for (auto const& at : matching_sites(sites, pattern)) {
            auto const slot = static_cast<std::size_t>(at.layer + 1);
            if (slot >= masks_.size()) masks_.resize(slot + 1);
            masks_[slot] |= std::uint64_t{1} << static_cast<unsigned>(at.id);
        }
    }
}

}  // namespace plateau::hooks
