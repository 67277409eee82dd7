#include <plateau/tensor/view.hpp>

#include <numeric>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

namespace plateau {
namespace {

using tensor::view;

struct device_space {};

template <class View>
concept host_can_call = requires(View v) {
    v(0, 0);
};
template <class View>
concept host_can_index = requires(View v) {
    v[0];
};
template <class View>
concept host_can_span = requires(View v) {
    v.flat();
};

std::vector<int> counting(std::size_t count) {
    std::vector<int> values(count);
    std::iota(values.begin(), values.end(), 0);
    return values;
}

TEST_CASE("the memory space decides who may touch an element", "[tensor][view]") {
    using on_host = view<float, 2>;
    using on_device = view<float, 2, device_space>;
    STATIC_REQUIRE(host_can_call<on_host>);
    STATIC_REQUIRE(host_can_index<on_host>);
    STATIC_REQUIRE(host_can_span<on_host>);
    STATIC_REQUIRE(!host_can_call<on_device>);
    STATIC_REQUIRE(!host_can_index<on_device>);
    STATIC_REQUIRE(!host_can_span<on_device>);
    STATIC_REQUIRE(!std::is_convertible_v<on_device, on_host>);
    STATIC_REQUIRE(!std::is_convertible_v<on_host, on_device>);
    // Shapes and pointers are for everybody: a launcher passes them on.
    on_device const shaped{nullptr, {3, 4}};
    CHECK(shaped.size() == 12);
    CHECK(shaped.rows(1, 2).extent(0) == 2);
}

TEST_CASE("const comes with a view and does not leave it", "[tensor][view]") {
    STATIC_REQUIRE(std::is_convertible_v<view<float, 2>, view<float const, 2>>);
    STATIC_REQUIRE(!std::is_convertible_v<view<float const, 2>, view<float, 2>>);
    STATIC_REQUIRE(!std::is_convertible_v<view<float, 2>, view<double const, 2>>);
    STATIC_REQUIRE(std::is_same_v<decltype(view<float const, 1>{}[0]), float const&>);
    STATIC_REQUIRE(std::is_same_v<decltype(view<float, 2>{}(0, 0)), float&>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<view<float, 3>>);
}

TEST_CASE("a dense view walks its memory in order", "[tensor][view]") {
    auto values = counting(24);
    view<int, 3> const cube{values.data(), {2, 3, 4}};
    CHECK(cube.strides() == std::array<index, 3>{12, 4, 1});
    CHECK(cube.dense());
    int expected = 0;
    for (index i = 0; i < 2; ++i)
        for (index j = 0; j < 3; ++j)
            for (index k = 0; k < 4; ++k) {
                CHECK(cube(i, j, k) == expected);
                CHECK(cube[i][j][k] == expected);
                ++expected;
            }
    cube(1, 0, 0) = -1;
    CHECK(values[12] == -1);
}

TEST_CASE("a strided view skips what lies between its rows", "[tensor][view]") {
    auto values = counting(20);
    view<int, 2> const left_half{values.data(), {4, 2}, {5, 1}};
    CHECK_FALSE(left_half.dense());
    CHECK(left_half(3, 1) == 16);
    CHECK(left_half[2][0] == 10);
    auto const middle = left_half.rows(1, 2);
    CHECK(middle.extents() == std::array<index, 2>{2, 2});
    CHECK(middle.data() == values.data() + 5);
    CHECK(middle(1, 1) == 11);
    CHECK(left_half.rows(2, 1).dense());  // one row has no gap
}

TEST_CASE("empty views have a size of zero and are dense", "[tensor][view]") {
    view<int, 2> const none{nullptr, {0, 7}};
    CHECK(none.empty());
    CHECK(none.flat().empty());
    CHECK(view<int, 2>{}.empty());
}

TEST_CASE("wrong extents are an error that names both shapes", "[tensor][view]") {
    using plateau::testing::contains;
    std::array<index, 2> const actual{3, 4};
    CHECK_NOTHROW(tensor::require_extents(actual, {3, 4}, "x"));
    CHECK_THROWS_AS(tensor::require_extents(actual, {3, 5}, "x"), shape_error);
    CHECK_THROWS_WITH(tensor::require_extents(actual, {3, 5}, "weight"),
                      contains("weight") && contains("[3, 4]") && contains("[3, 5]"));
}

}  // namespace
}  // namespace plateau
