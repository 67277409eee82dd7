#pragma once
/// Deals the rows of many pairs into blocks.

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include <plateau/backend/rows.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::engine {

/// Points [first_point, first_point + points) of an item, together in one block. If first_point > 0 the block evaluates
/// point 0 again before them.
struct point_run {
    index item;
    index first_point;
    index points;
};

/// Runs of points, block by block.
struct row_blocks {
    std::vector<point_run> runs;
    std::vector<index> firsts;  ///< by block, the number of its first run

    index count() const { return static_cast<index>(firsts.size()); }
    std::span<point_run const> operator[](index block) const {
        auto const last = block + 1 < count() ? firsts[static_cast<std::size_t>(block + 1)] : std::ssize(runs);
        auto const first = firsts[static_cast<std::size_t>(block)];
        return std::span{runs}.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    }
};

/// Deals all points, in order, into blocks of at most about `block_rows` rows; blocks are filled up, and as equal as
/// whole row groups and the number of threads allow. A block holds at least one new point, however many rows that has.
/// @param rows  of a point, by item      @param points  of each item
/// @param whole  leave all points of an item together, however large the block
row_blocks deal_rows(std::vector<index> const& rows, index points, index block_rows, int threads, bool whole = false);

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/row_blocks.ipp>
#endif
