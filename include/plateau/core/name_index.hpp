#pragma once
/// Numbers for names, so that one lookup serves every table that is kept by name.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plateau {

/// Distinct names, numbered 0, 1, ... in the order of their coming. What belongs to a name stands in a vector beside.
class name_index {
public:
    /// The number of a name, and whether it is new. O(log n)
    [[gnu::cold]] std::pair<std::size_t, bool> add(std::string_view name) {
        auto const [at, fresh] = numbers_.emplace(name, numbers_.size());
        return {at->second, fresh};
    }

    std::optional<std::size_t> find(std::string_view name) const {
        auto const at = numbers_.find(name);
        if (at == numbers_.end()) return std::nullopt;
        return at->second;
    }

    bool contains(std::string_view name) const { return find(name).has_value(); }
    std::size_t size() const { return numbers_.size(); }

    /// Sorted.
    [[gnu::cold]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (auto const& [name, number] : numbers_) names.push_back(name);
        return names;
    }

private:
    std::map<std::string, std::size_t, std::less<>> numbers_;
};

}  // namespace plateau
