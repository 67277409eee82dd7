#pragma once
/// Bodies of engine/row_blocks.hpp.

#include <algorithm>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/row_blocks.hpp>

namespace plateau::engine {

PLATEAU_INLINE std::vector<std::vector<point_run>> row_blocks(std::vector<row_count> const& counts, index block_rows,
                                                              int threads, bool whole) {
    index total = 0;
    for (auto const& one : counts) total += one.points * one.rows;
    index blocks_wanted = std::max<index>(1, (total + block_rows - 1) / std::max<index>(block_rows, 1));
    blocks_wanted = (blocks_wanted + threads - 1) / threads * threads;
    index const capacity = backend::whole_tiles((total + blocks_wanted - 1) / blocks_wanted);

    std::vector<std::vector<point_run>> blocks;
    index used = capacity;
    for (auto const& one : counts) {
        for (index next = 0; next < one.points;) {
            index const reference = next > 0 ? 1 : 0;
            index const least = whole ? one.points : 1;
            index fits = (capacity - used) / one.rows - reference;
            if (fits < least) {
                blocks.emplace_back();
                used = 0;
                fits = std::max(least, capacity / one.rows - reference);
            }
            index const points = std::min(fits, one.points - next);
            blocks.back().push_back({one.item, next, points});
            used += (points + reference) * one.rows;
            next += points;
        }
    }
    return blocks;
}

}  // namespace plateau::engine
