#include <plateau/core/order.hpp>

#include <algorithm>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

TEST_CASE("order_by is a stable sort of the numbers by their keys", "[core][order]") {
    std::size_t const count = GENERATE(0u, 1u, 7u, 129u);
    auto const seed = GENERATE(take(3, random(0, 1000)));
    plateau::counter_rng rng{static_cast<std::uint64_t>(seed)};
    std::vector<std::uint64_t> keys(count);
    for (auto& key : keys) key = rng.below(5);  // many equal ones
    auto const order = plateau::order_by(keys);
    REQUIRE(order.size() == count);
    std::vector<bool> seen(count);
    for (std::size_t i = 0; i < count; ++i) {
        seen[order[i]] = true;
        if (i == 0) continue;
        bool const ascending = keys[order[i - 1]] < keys[order[i]];
        bool const equal_in_order = keys[order[i - 1]] == keys[order[i]] && order[i - 1] < order[i];
        CHECK((ascending || equal_in_order));
    }
    CHECK(std::count(seen.begin(), seen.end(), true) == static_cast<std::ptrdiff_t>(count));
}
