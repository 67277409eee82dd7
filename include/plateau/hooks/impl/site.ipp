#pragma once
/// Bodies of hooks/site.hpp.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/site.hpp>

namespace plateau::hooks {

PLATEAU_INLINE void add_site(std::vector<site>& sites, site const& added) {
    for (auto other = sites.rbegin(); other != sites.rend() && other->layer == added.layer; ++other) {
        if (other->id != added.id) continue;
        throw usage_error("two hook points of a block have one number: ", other->name(), " and ", added.name());
    }
    sites.push_back(added);
}

PLATEAU_INLINE std::string site::name() const {
    auto const name = own_name.empty() ? short_name(id) : own_name;
    return in_block(id) ? concat({"blocks.", layer, ".", name}) : std::string(name);
}

PLATEAU_INLINE std::string site::shape_text() const {
    switch (axes) {
        case site_axes::heads: return concat({"[N,T,", heads, ",", width, "]"});
        case site_axes::heads_first: return concat({"[N,", heads, ",T,", width, "]"});
        case site_axes::keys: return concat({"[N,", heads, ",T,T]"});
        default: return concat({"[N,T,", width, "]"});
    }
}

}  // namespace plateau::hooks
