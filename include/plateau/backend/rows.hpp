#pragma once
/// How rows are grouped for matrix products, on any backend.

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// Rows of activations are multiplied in groups of this many, always: libraries take other routes, with other bits, for
/// other row counts, and a row's bits must not depend on how many rows there are. Callers that hold whole groups save a
/// copy. A multiple of Eigen's register block of columns.
inline constexpr index row_group = 64;

/// Rounds a row count up to whole groups.
constexpr index padded_rows(index rows) { return (rows + row_group - 1) / row_group * row_group; }

}  // namespace plateau::backend
