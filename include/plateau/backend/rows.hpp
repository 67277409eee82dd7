#pragma once
/// How many rows travel together, on any backend.

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// Blocks of rows are best multiples of this many: the rows of one tile of the matrix kernels. No result depends on it.
inline constexpr index row_tile = 6;

/// Rounds a row count up to whole tiles.
constexpr index whole_tiles(index rows) { return (rows + row_tile - 1) / row_tile * row_tile; }

}  // namespace plateau::backend
