#include <plateau/core/disjoint_sets.hpp>

#include <cstdint>
#include <queue>
#include <utility>
#include <vector>

#include "support/catch.hpp"

#include <plateau/core/rng.hpp>

namespace {

using plateau::index;

/// The smallest vertex that is reached from each, breadth first.
std::vector<index> reached(index count, std::vector<std::pair<index, index>> const& edges) {
    std::vector<index> smallest(static_cast<std::size_t>(count), -1);
    for (index start = 0; start < count; ++start) {
        if (smallest[static_cast<std::size_t>(start)] >= 0) continue;
        std::queue<index> todo;
        todo.push(start);
        smallest[static_cast<std::size_t>(start)] = start;
        for (; !todo.empty(); todo.pop()) {
            for (auto const& [a, b] : edges) {
                for (auto const& [from, to] : {std::pair{a, b}, {b, a}}) {
                    if (from != todo.front() || smallest[static_cast<std::size_t>(to)] >= 0) continue;
                    smallest[static_cast<std::size_t>(to)] = start;
                    todo.push(to);
                }
            }
        }
    }
    return smallest;
}

TEST_CASE("components of random graphs are what a search finds, in any order of the edges", "[core][disjoint_sets]") {
    plateau::counter_rng rng{5};
    for (index const count : {1, 2, 7, 32, 65}) {
        for (double const density : {0.0, 0.3, 0.8, 1.5, 5.0}) {
            std::vector<std::pair<index, index>> edges;
            for (int k = 0; k < static_cast<int>(density * static_cast<double>(count)); ++k) {
                auto const n = static_cast<std::uint64_t>(count);
                edges.emplace_back(static_cast<index>(rng.below(n)), static_cast<index>(rng.below(n)));
            }
            auto const truth = reached(count, edges);
            for (int order = 0; order < 3; ++order) {
                plateau::disjoint_sets sets{count};
                index merges = 0;
                for (auto const& [a, b] : edges) {
                    bool const apart = sets.smallest(a) != sets.smallest(b);
                    CHECK(sets.merge(a, b) == apart);
                    merges += apart;
                }
                auto const found = sets.all();
                CHECK(found == truth);
                index components = 0;
                for (index i = 0; i < count; ++i) components += found[static_cast<std::size_t>(i)] == i;
                CHECK(components == count - merges);
                plateau::shuffle(std::span{edges}, rng);
            }
        }
    }
}

}  // namespace
