#pragma once
/// Matching of the regions of two partitions: which live on, are born, die, split and merge.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/statistics/assignment.hpp>
#include <plateau/statistics/contingency.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::statistics {

/// The items that are in one region before and in one after.
struct region_flow {
    index from, to;  ///< numbers of regions, by labels ascending
    index items;     ///< > 0
    enum class kind {
        kept,     ///< the match: the region lives on
        split,    ///< leaves a region that lives on, for one that is born
        merge,    ///< comes of a region that dies, into one that lives on
        passing,  ///< leaves one that lives on, for another that lives on: a split and a merge at once
        stray,    ///< fewer items than count
    } what;
};

/// Which region after is the same as which one before: the optimal assignment by common items, pairs without any left
/// out.
struct region_matching {
    std::vector<index> before, after;  ///< labels of the regions, ascending
    std::vector<index> sizes_before, sizes_after;
    std::vector<index> match;        ///< of each region before: its number after, or −1: it dies
    std::vector<index> match_of;     ///< of each region after: its number before, or −1: it is born
    std::vector<region_flow> flows;  ///< by (from, to) ascending

    index births() const { return std::ranges::count(match_of, -1); }
    index deaths() const { return std::ranges::count(match, -1); }
    /// Flows of enough items off a region that lives on.
    index splits() const { return count(region_flow::kind::split) + count(region_flow::kind::passing); }
    /// Flows of enough items into a region that lived before.
    index merges() const { return count(region_flow::kind::merge) + count(region_flow::kind::passing); }

private:
    index count(region_flow::kind what) const { return std::ranges::count(flows, what, &region_flow::what); }
};

/// @param before,after  [n] labels of the same items
/// @param least  items that are enough for a split or a merge: with 2 no single item makes one
/// @throws shape_error on unequal lengths or n = 0      @see optimal_assignment
/// @post of two regions neither of which has a match none has an item of the other
inline region_matching match_regions(std::span<index const> before, std::span<index const> after, index least = 2) {
    auto const table = contingency_of(before, after);
    auto const names = [](std::span<index const> labels) {
        std::vector<index> all(labels.begin(), labels.end());
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    };
    region_matching found{names(before), names(after), table.rows, table.columns, {}, {}, {}};
    tensor::buffer<double, 2> overlap(
        {static_cast<index>(table.rows.size()), static_cast<index>(table.columns.size())});
    for (auto const& cell : table.cells) overlap(cell.row, cell.column) = static_cast<double>(cell.n);
    found.match = optimal_assignment(overlap).column_of;
    found.match_of.assign(table.columns.size(), -1);
    for (std::size_t r = 0; r < found.match.size(); ++r) {
        index& to = found.match[r];
        if (to >= 0 && !(overlap(static_cast<index>(r), to) > 0)) to = -1;
        if (to >= 0) found.match_of[static_cast<std::size_t>(to)] = static_cast<index>(r);
    }
    using kind = region_flow::kind;
    for (auto const& [from, to, items] : table.cells) {
        bool const lives = found.match[static_cast<std::size_t>(from)] >= 0,
                   lived = found.match_of[static_cast<std::size_t>(to)] >= 0;
        bool const kept = found.match[static_cast<std::size_t>(from)] == to;
        found.flows.push_back({from, to, items,
                               kept             ? kind::kept
                               : items < least  ? kind::stray
                               : lives && lived ? kind::passing
                               : lives          ? kind::split
                                                : kind::merge});
    }
    return found;
}

}  // namespace plateau::statistics
