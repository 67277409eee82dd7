#pragma once
/// Sorts by integer keys: one compiled sort for every type of element.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau {

/// The numbers 0..n−1 in ascending order of their keys, equal keys in their given order.
std::vector<std::size_t> order_by(std::span<std::uint64_t const> keys);

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/order.ipp>
#endif
