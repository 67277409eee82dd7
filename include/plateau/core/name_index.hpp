#pragma once
/// Numbers for distinct names, so that one lookup serves every table kept by name.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau {

/// Distinct names, numbered 0, 1, ... in the order in which they are added. A vector indexed by these numbers holds
/// what belongs to the names.
class name_index {
public:
    /// The number of a name, and whether it is new. O(log n)
    std::pair<std::size_t, bool> add(std::string_view name);
    std::optional<std::size_t> find(std::string_view name) const;

    bool contains(std::string_view name) const { return find(name).has_value(); }
    std::size_t size() const { return numbers_.size(); }

    /// All names, sorted.
    std::vector<std::string> names() const;

private:
    std::map<std::string, std::size_t, std::less<>> numbers_;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/name_index.ipp>
#endif
