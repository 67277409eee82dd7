#include <plateau/core/peak_memory.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/memory.hpp"

namespace {

TEST_CASE("the peak of memory is what was resident at most", "[core][peak_memory]") {
    auto const before = plateau::peak_memory();
    CHECK(before > 1 << 20);
    plateau::index const size = 2 * before;
    {
        std::vector<char> const held(static_cast<std::size_t>(size), 'x');
        CHECK(held.back() == 'x');
    }
    if (plateau::testing::memory_is_measurable) CHECK(plateau::peak_memory() >= size);
    CHECK(plateau::peak_memory() < size + 2 * before);
}

}  // namespace
