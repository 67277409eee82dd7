#pragma once
/// Rows of tangents on any backend: the row that each belongs to, and which of them are held.

#include <cstdint>
#include <span>

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// Rows of tangents beside the rows whose tangents they are.
struct tangents_of {
    std::span<index const> rows;         ///< by tangent: the row that it belongs to
    std::span<std::uint8_t const> held;  ///< by tangent: what the operation lets stand still does; empty for nowhere

    index count() const { return static_cast<index>(rows.size()); }
    index row(index t) const { return rows[static_cast<std::size_t>(t)]; }
    bool is_held(index t) const { return !held.empty() && held[static_cast<std::size_t>(t)] != 0; }
};

}  // namespace plateau::backend
