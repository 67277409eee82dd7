#pragma once
/// Bodies of core/name_index.hpp.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>

namespace plateau {

PLATEAU_INLINE std::pair<std::size_t, bool> name_index::add(std::string_view name) {
    auto const [at, fresh] = numbers_.emplace(name, numbers_.size());
    return {at->second, fresh};
}

PLATEAU_INLINE std::optional<std::size_t> name_index::find(std::string_view name) const {
    auto const at = numbers_.find(name);
    if (at == numbers_.end()) return std::nullopt;
    return at->second;
}

PLATEAU_INLINE std::vector<std::string> name_index::names() const {
    std::vector<std::string> names;
    for (auto const& [name, number] : numbers_) names.push_back(name);
    return names;
}

}  // namespace plateau
