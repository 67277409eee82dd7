#pragma once
/// Bodies of engine/row_blocks.hpp.

#include <algorithm>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/row_blocks.hpp>

namespace plateau::engine {

PLATEAU_INLINE row_blocks deal_rows(std::vector<index> const& rows, index points, index block_rows, int threads,
                                    bool whole) {
    index total = 0;
    for (index const of_point : rows) total += points * of_point;
    index blocks_wanted = std::max<index>(1, (total + block_rows - 1) / std::max<index>(block_rows, 1));
    blocks_wanted = (blocks_wanted + threads - 1) / threads * threads;
    index const capacity = backend::whole_tiles((total + blocks_wanted - 1) / blocks_wanted);

    row_blocks blocks;
    index used = capacity;
    for (index item = 0; item < std::ssize(rows); ++item) {
        index const of_point = rows[static_cast<std::size_t>(item)];
        for (index next = 0; next < points;) {
            index const reference = next > 0 ? 1 : 0;
            index const least = whole ? points : 1;
            index fits = (capacity - used) / of_point - reference;
            if (fits < least) {
                blocks.firsts.push_back(std::ssize(blocks.runs));
                used = 0;
                fits = std::max(least, capacity / of_point - reference);
            }
            index const some = std::min(fits, points - next);
            blocks.runs.push_back({item, next, some});
            used += (some + reference) * of_point;
            next += some;
        }
    }
    return blocks;
}

}  // namespace plateau::engine
