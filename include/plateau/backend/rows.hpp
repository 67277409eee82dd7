#pragma once
/// Row counts of blocks and tiles, on any backend. No result depends on them.

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// Rows of one tile of the matrix kernels: blocks of rows are best multiples of it.
inline constexpr index row_tile = 6;

/// Rows of a block on the host: its activations stay in cache.
inline constexpr index host_block_rows = 42 * row_tile;

/// Rounds a row count up to whole tiles.
constexpr index whole_tiles(index rows) { return (rows + row_tile - 1) / row_tile * row_tile; }
/// Rounds a row count down to whole tiles.
constexpr index down_to_tiles(index rows) { return rows / row_tile * row_tile; }

}  // namespace plateau::backend
