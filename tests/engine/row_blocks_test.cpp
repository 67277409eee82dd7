#include <plateau/engine/row_blocks.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;

TEST_CASE("every point is dealt once, in order, blocks are filled", "[engine][row_blocks]") {
    index const points = GENERATE(1, 2, 50, 99, 700);
    index const block_rows = GENERATE(1, 64, 256);
    int const threads = GENERATE(1, 2, 3);
    std::vector<engine::row_count> const counts{{0, points, 1}, {1, points, 3}, {2, points, 1}, {3, points, 100}};
    auto const blocks = engine::row_blocks(counts, block_rows, threads);
    std::vector<index> next(counts.size(), 0);
    for (auto const& block : blocks) {
        REQUIRE_FALSE(block.empty());
        for (auto const& run : block) {
            CHECK(run.first_point == next[static_cast<std::size_t>(run.item)]);
            CHECK(run.points >= 1);
            next[static_cast<std::size_t>(run.item)] += run.points;
        }
    }
    for (index done : next) CHECK(done == points);
}

TEST_CASE("blocks keep to their size where points are small", "[engine][row_blocks]") {
    std::vector<engine::row_count> counts;
    for (index i = 0; i < 20; ++i) counts.push_back({i, 50, 1});
    auto const blocks = engine::row_blocks(counts, 256, 2);
    CHECK(blocks.size() == 4);
    for (auto const& block : blocks) {
        index rows = 0;
        for (auto const& run : block) rows += run.points + (run.first_point > 0 ? 1 : 0);
        CHECK(rows <= 256);
    }
}

}  // namespace
