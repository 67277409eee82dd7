#include "support/catch.hpp"

#if !PLATEAU_HAS_XTENSOR
TEST_CASE("xtensor adapters", "[tensor][xtensor]") { PLATEAU_SKIP("xtensor was not there when this was built"); }
#else

#include <plateau/tensor/xtensor.hpp>

#include <type_traits>

#include <plateau/tensor/buffer.hpp>

namespace plateau {
namespace {

using plateau::testing::contains;
using tensor::as_view;
using tensor::as_xtensor;
using tensor::buffer;
using tensor::view;

template <std::size_t Rank>
buffer<double, Rank> counting(std::array<index, Rank> extents) {
    buffer<double, Rank> values{extents};
    double next = 0;
    for (double& value : values.flat()) value = next++;
    return values;
}

TEST_CASE("a view and its xtensor adaptor are the same memory", "[tensor][xtensor]") {
    auto const rows = GENERATE(1, 2, 7);
    auto const columns = GENERATE(1, 3, 33);
    auto values = counting<3>({rows, 4, columns});
    auto adaptor = as_xtensor(values.view());
    CHECK(adaptor.data() == values.data());
    CHECK(adaptor.shape()[0] == static_cast<std::size_t>(rows));
    CHECK(adaptor.shape()[2] == static_cast<std::size_t>(columns));
    bool equal = true;
    for (index i = 0; i < rows; ++i)
        for (index j = 0; j < 4; ++j)
            for (index k = 0; k < columns; ++k) equal = equal && adaptor(i, j, k) == values(i, j, k);
    CHECK(equal);
    adaptor(rows - 1, 3, columns - 1) = -5;
    CHECK(values(rows - 1, 3, columns - 1) == -5);
    values(0, 0, 0) = 9;
    CHECK(adaptor(0, 0, 0) == 9);
}

TEST_CASE("an adaptor keeps the distance between rows", "[tensor][xtensor]") {
    auto values = counting<2>({4, 5});
    view<double, 2> const middle{values.data() + 1, {4, 2}, {5, 1}};
    auto adaptor = as_xtensor(middle);
    CHECK(adaptor(3, 1) == 17);
    double sum = 0;
    for (double value : adaptor) sum += value;
    CHECK(sum == (1 + 2) + (6 + 7) + (11 + 12) + (16 + 17));
    adaptor.fill(0);
    CHECK(values(2, 2) == 0);
    CHECK(values(2, 3) == 13);  // what lies between the rows is left alone
    CHECK(values(2, 0) == 10);
}

TEST_CASE("xtensor's own arithmetic stays out of the gaps between rows", "[tensor][xtensor]") {
    auto target = counting<2>({4, 5});
    auto source = counting<2>({4, 5});
    auto const before = target.clone();
    auto a = as_xtensor(view<double, 2>{target.data() + 1, {4, 3}, {5, 1}});
    auto b = as_xtensor(view<double, 2>{source.data() + 1, {4, 3}, {5, 1}});
    a += b;
    a = a * 2.0 + b;
    a -= 1.0;
    for (index r = 0; r < 4; ++r)
        for (index c = 0; c < 5; ++c) {
            bool const inside = c >= 1 && c < 4;
            CHECK(target(r, c) == (inside ? 5 * before(r, c) - 1 : before(r, c)));
        }
}

TEST_CASE("an axis of one element broadcasts", "[tensor][xtensor]") {
    auto values = counting<2>({3, 4});
    auto one_row = as_xtensor(values.view().rows(2, 1));
    auto all = as_xtensor(values.view());
    xt::xtensor<double, 2> const sum = all + one_row;
    for (index r = 0; r < 3; ++r)
        for (index c = 0; c < 4; ++c) CHECK(sum(r, c) == values(r, c) + values(2, c));
}

TEST_CASE("an xtensor and its view are the same memory", "[tensor][xtensor]") {
    xt::xtensor<float, 2> x = xt::zeros<float>({3, 4});
    auto seen = as_view(x);
    STATIC_REQUIRE(std::is_same_v<decltype(seen), view<float, 2>>);
    CHECK(seen.data() == x.data());
    CHECK(seen.extents() == std::array<index, 2>{3, 4});
    CHECK(seen.dense());
    seen(2, 3) = 7;
    CHECK(x(2, 3) == 7);

    xt::xtensor<float, 3> const flat = xt::ones<float>({1, 1, 1});
    auto const flat_view = as_view(flat);
    STATIC_REQUIRE(std::is_same_v<decltype(flat_view), view<float const, 3> const>);
    CHECK(flat_view.dense());
    CHECK(flat_view(0, 0, 0) == 1);
    xt::xtensor<float, 2> empty = xt::zeros<float>({0, 4});
    CHECK(as_view(empty).extents() == std::array<index, 2>{0, 4});
}

TEST_CASE("an xarray is viewed with the rank that one asks for", "[tensor][xtensor]") {
    xt::xarray<double> x = xt::zeros<double>({2, 1, 3});
    auto seen = as_view<3>(x);
    CHECK(seen.data() == x.data());
    CHECK(seen.dense());
    seen(1, 0, 2) = 4;
    CHECK(x(1, 0, 2) == 4);
    CHECK_THROWS_AS(as_view<2>(x), shape_error);
    CHECK_THROWS_WITH(as_view<2>(x), contains("rank 3") && contains("as_view<3>"));
    xt::xarray<double> const& constant = x;
    STATIC_REQUIRE(std::is_same_v<decltype(as_view<3>(constant)), view<double const, 3>>);
}

TEST_CASE("a last axis with a stride is refused", "[tensor][xtensor]") {
    xt::xarray<double, xt::layout_type::dynamic> turned(std::vector<std::size_t>{3, 2}, xt::layout_type::column_major);
    CHECK_THROWS_AS(as_view<2>(turned), shape_error);
    CHECK_THROWS_WITH(as_view<2>(turned), contains("stride 3"));
}

TEST_CASE("through an adaptor and back is the view itself", "[tensor][xtensor]") {
    auto values = counting<2>({5, 6});
    view<double, 2> const strided{values.data() + 1, {5, 3}, {6, 1}};
    auto adaptor = as_xtensor(strided);
    auto const back = as_view(adaptor);
    CHECK(back.data() == strided.data());
    CHECK(back.extents() == strided.extents());
    CHECK(back.strides() == strided.strides());

    view<double const, 2> const constant = strided;
    auto reading = as_xtensor(constant);
    STATIC_REQUIRE(std::is_same_v<decltype(as_view(reading)), view<double const, 2>>);
    CHECK(reading(0, 0) == 1);
}

}  // namespace
}  // namespace plateau
#endif
