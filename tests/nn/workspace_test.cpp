#include <plateau/nn/workspace.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using workspace = nn::workspace<backend::cpu_context, float>;

backend::cpu_context const one_thread{1};
constexpr nn::work_buffer first{"first"}, second{"second"}, of_the_same_name{"first"};

TEST_CASE("work matrices do not share memory, and keep their contents", "[nn][workspace]") {
    workspace work{one_thread};
    for (float& value : work.matrix(first, 3, 4).flat()) value = 1;
    for (float& value : work.matrix(second, 3, 4).flat()) value = 2;
    for (float& value : work.matrix(of_the_same_name, 3, 4).flat()) value = 3;  // the object counts, not its text
    for (float value : work.matrix(first, 3, 4).flat()) CHECK(value == 1);
    for (float value : work.matrix(second, 3, 4).flat()) CHECK(value == 2);
}

TEST_CASE("a work matrix has the extents asked for, and moves only to grow", "[nn][workspace]") {
    workspace work{one_thread};
    CHECK(work.moves() == 0);
    auto const* const at = work.matrix(first, 6, 5).data();
    CHECK(work.matrix(first, 6, 5).extents() == std::array<index, 2>{6, 5});
    CHECK(work.matrix(first, 2, 15).extents() == std::array<index, 2>{2, 15});
    CHECK(work.matrix(first, 0, 7).size() == 0);
    CHECK(work.matrix(first, 6, 5).data() == at);
    CHECK(work.moves() == 1);
    for (float& value : work.matrix(first, 7, 5).flat()) value = 1;  // all of it is memory
    CHECK(work.moves() == 2);
    work.matrix(second, 1, 1);
    CHECK(work.moves() == 3);
}

TEST_CASE("memory that was given back is there again when it is asked for", "[nn][workspace]") {
    workspace work{one_thread};
    CHECK(work.reserve(first, 4, 8).size() == 32);
    CHECK(work.reserve(first, 2, 8).size() == 32);
    work.release();
    CHECK(work.reserve(first, 2, 8).size() == 16);
    CHECK(work.moves() == 2);
}

}  // namespace
