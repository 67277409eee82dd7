#pragma once
/// Disjoint sets of numbers that are merged pair by pair: connected components of a graph, edge by edge.

#include <algorithm>
#include <cstddef>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau {

/// At first every number of [0, count) is a set of its own. O(log count) a call, amortised (paths are halved).
class disjoint_sets {
public:
    explicit disjoint_sets(index count) {
        for (index i = 0; i < count; ++i) parent_.push_back(i);
    }

    /// The smallest member of the set of i, whatever the order of the merges.
    index smallest(index i) {
        while (up(i) != i) i = up(i) = up(up(i));
        return i;
    }

    /// Merges the sets of i and j. @return false if they were one
    bool merge(index i, index j) {
        index const a = smallest(i), b = smallest(j);
        up(std::max(a, b)) = std::min(a, b);
        return a != b;
    }

    /// [count] the smallest member of each number's set.
    std::vector<index> all() {
        std::vector<index> found;
        for (std::size_t i = 0; i < parent_.size(); ++i) found.push_back(smallest(static_cast<index>(i)));
        return found;
    }

private:
    index& up(index i) { return parent_[static_cast<std::size_t>(i)]; }

    std::vector<index> parent_;  // never larger than the number itself
};

}  // namespace plateau
