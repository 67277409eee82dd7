#pragma once
/// Bodies of core/names.hpp.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

PLATEAU_INLINE bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

PLATEAU_INLINE std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
        }
    }
    return row[b.size()];
}

PLATEAU_INLINE std::vector<std::string> nearest_names(std::string_view wanted, std::vector<std::string> const& names,
                                                      std::size_t count) {
    std::vector<std::size_t> distances;
    for (auto const& name : names) distances.push_back(edit_distance(wanted, name));
    std::vector<std::string> nearest;
    while (nearest.size() < std::min(count, names.size())) {
        auto const best = std::min_element(distances.begin(), distances.end());
        nearest.push_back(names[static_cast<std::size_t>(best - distances.begin())]);
        *best = std::numeric_limits<std::size_t>::max();  // taken
    }
    return nearest;
}

PLATEAU_INLINE std::string join(std::vector<std::string> const& parts, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += separator;
        text += parts[i];
    }
    return text;
}

PLATEAU_INLINE std::string shape_text(std::span<index const> extents) {
    std::vector<std::string> parts;
    for (index extent : extents) parts.push_back(std::to_string(extent));
    return concat({"[", join(parts), "]"});
}

}  // namespace plateau
