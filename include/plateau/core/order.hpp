#pragma once
/// Sorting, without a sort compiled for every type of element.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace plateau {

/// The numbers 0..n−1 in ascending order of their keys, equal keys in their given order.
inline std::vector<std::size_t> order_by(std::span<std::uint64_t const> keys) {
    std::vector<std::size_t> order(keys.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
    return order;
}

}  // namespace plateau
