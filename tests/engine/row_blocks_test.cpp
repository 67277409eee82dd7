#include <plateau/engine/row_blocks.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;

TEST_CASE("every point is dealt once, in order, blocks are filled", "[engine][row_blocks]") {
    index const points = GENERATE(1, 2, 50, 99, 700);
    index const block_rows = GENERATE(1, 64, 256);
    int const threads = GENERATE(1, 2, 3);
    std::vector<index> const rows{1, 3, 1, 100};
    auto const blocks = engine::deal_rows(rows, points, block_rows, threads);
    std::vector<index> next(rows.size(), 0);
    for (index b = 0; b < blocks.count(); ++b) {
        REQUIRE_FALSE(blocks[b].empty());
        for (auto const& run : blocks[b]) {
            CHECK(run.first_point == next[static_cast<std::size_t>(run.item)]);
            CHECK(run.points >= 1);
            next[static_cast<std::size_t>(run.item)] += run.points;
        }
    }
    for (index done : next) CHECK(done == points);
}

TEST_CASE("blocks keep to their size where points are small", "[engine][row_blocks]") {
    auto const blocks = engine::deal_rows(std::vector<index>(20, 1), 50, 256, 2);
    CHECK(blocks.count() == 4);
    for (index b = 0; b < blocks.count(); ++b) {
        index rows = 0;
        for (auto const& run : blocks[b]) rows += run.points + (run.first_point > 0 ? 1 : 0);
        CHECK(rows <= 256);
    }
}

}  // namespace
