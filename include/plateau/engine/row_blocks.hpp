#pragma once
/// Deals the rows of many pairs into blocks.

#include <algorithm>
#include <vector>

#include <plateau/backend/rows.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::engine {

/// `points` points of item `item`, `rows` rows each.
struct row_count {
    index item;
    index points;
    index rows;
};

/// Points [first_point, first_point + points) of an item, together in one block. If first_point > 0 the block evaluates
/// point 0 again before them.
struct point_run {
    index item;
    index first_point;
    index points;
};

/// Deals all points, in order, into blocks of at most about `block_rows` rows; blocks are filled up, and as equal as
/// whole row groups and the number of threads allow. A block holds at least one new point, however many rows that has.
/// @param whole  leave all points of an item together, however large the block
std::vector<std::vector<point_run>> row_blocks(std::vector<row_count> const& counts, index block_rows, int threads,
                                               bool whole = false);

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/row_blocks.ipp>
#endif
