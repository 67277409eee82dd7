#pragma once
/// Bodies of core/rng.hpp.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

PLATEAU_INLINE_HOT std::vector<index> sample_without_replacement(index population, index count, std::uint64_t seed) {
    if (count < 0 || count > population) {
        throw usage_error("cannot draw ", count, " different items out of ", population);
    }
    counter_rng rng{seed};
    std::unordered_map<index, index> moved;
    auto const value_at = [&](index slot) {
        auto const found = moved.find(slot);
        return found == moved.end() ? slot : found->second;
    };
    std::vector<index> drawn;
    drawn.reserve(static_cast<std::size_t>(count));
    for (index i = 0; i < count; ++i) {
        index const j = i + static_cast<index>(rng.below(static_cast<std::uint64_t>(population - i)));
        drawn.push_back(value_at(j));
        moved[j] = value_at(i);
    }
    return drawn;
}

}  // namespace plateau
