#pragma once
/// Lists of names, separated by commas.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace plateau {

/// The parts of a list, "a,b" or a single one.
inline std::vector<std::string> split(std::string const& list, char by = ',') {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= list.size();) {
        std::size_t const end = std::min(list.find(by, begin), list.size());
        parts.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

}  // namespace plateau
