#pragma once
/// Bodies of core/order.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>

namespace plateau {

PLATEAU_INLINE_HOT std::vector<std::size_t> order_by(std::span<std::uint64_t const> keys) {
    std::vector<std::size_t> order(keys.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
    return order;
}

}  // namespace plateau
