#include <plateau/tensor/buffer.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>

#include "support/catch.hpp"

namespace plateau {
namespace {

using tensor::buffer;

TEST_CASE("a buffer starts at zero, dense and aligned to a cache line", "[tensor][buffer]") {
    auto const rows = GENERATE(1, 7, 32, 65);
    auto const columns = GENERATE(1, 3, 129);
    buffer<double, 2> const values{{rows, columns}};
    CHECK(values.size() == rows * columns);
    CHECK(values.view().dense());
    CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % 64 == 0);
    bool all_zero = true;
    for (double value : values.flat()) all_zero = all_zero && value == 0.0;
    CHECK(all_zero);
}

TEST_CASE("a buffer for overwriting is like any other once it is written", "[tensor][buffer]") {
    auto values = buffer<float, 2>::for_overwrite({5, 7});
    CHECK(values.extents() == std::array<index, 2>{5, 7});
    CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % 64 == 0);
    for (float& value : values.flat()) value = 3;
    CHECK(values(4, 6) == 3);
    CHECK((buffer<float, 2>::for_overwrite({3, 0})).size() == 0);
    CHECK_THROWS_AS((buffer<float, 1>::for_overwrite({-1})), shape_error);
}

TEST_CASE("elements lie in row-major order", "[tensor][buffer]") {
    buffer<int, 3> values{{2, 3, 4}};
    int next = 0;
    for (index i = 0; i < 2; ++i)
        for (index j = 0; j < 3; ++j)
            for (index k = 0; k < 4; ++k) values(i, j, k) = next++;
    for (int at = 0; at < 24; ++at) CHECK(values.flat()[static_cast<std::size_t>(at)] == at);
    CHECK(values[1][2][3] == 23);
    CHECK(&values[1](0, 0) == values.data() + 12);
}

TEST_CASE("a clone is deep, a move leaves an empty buffer", "[tensor][buffer]") {
    buffer<float, 2> first{{2, 2}};
    first(1, 1) = 5;
    auto copy = first.clone();
    copy(1, 1) = 6;
    CHECK(first(1, 1) == 5);

    float const* const storage = first.data();
    buffer<float, 2> moved{std::move(first)};
    CHECK(moved.data() == storage);
    CHECK(first.size() == 0);
    CHECK(first.data() == nullptr);
    copy = std::move(moved);
    CHECK(copy.data() == storage);
    CHECK(copy(1, 1) == 5);
    STATIC_REQUIRE(!std::is_copy_constructible_v<buffer<float, 2>>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<buffer<float, 2>>);
}

TEST_CASE("no elements is a shape like any other", "[tensor][buffer]") {
    buffer<float, 2> const none{{0, 5}};
    CHECK(none.size() == 0);
    CHECK(none.flat().empty());
    CHECK(none.clone().extents() == none.extents());
    CHECK(buffer<float, 1>{}.size() == 0);
}

TEST_CASE("impossible shapes are refused by name", "[tensor][buffer]") {
    using plateau::testing::contains;
    index const huge = std::numeric_limits<index>::max();
    CHECK_THROWS_AS((buffer<float, 1>{{-1}}), shape_error);
    CHECK_THROWS_AS((buffer<float, 1>{{huge}}), shape_error);
    CHECK_THROWS_AS((buffer<float, 2>{{index{1} << 32, index{1} << 32}}), shape_error);
    CHECK_THROWS_AS((buffer<double, 2>{{0, -3}}), shape_error);
    CHECK_THROWS_WITH((buffer<float, 2>{{3, -2}}), contains("[3, -2]"));
    CHECK_THROWS_AS((buffer<float, 1>{{index{1} << 60}}), memory_error);
}

}  // namespace
}  // namespace plateau
