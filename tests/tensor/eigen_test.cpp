#include <plateau/tensor/eigen.hpp>

#include <type_traits>
#include <utility>

#include <plateau/tensor/buffer.hpp>

#include "support/catch.hpp"

namespace plateau {
namespace {

using tensor::as_eigen;
using tensor::as_view;
using tensor::buffer;
using tensor::view;

template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
buffer<T, 2> counting(index rows, index columns) {
    buffer<T, 2> values{{rows, columns}};
    T next = 0;
    for (T& value : values.flat()) value = next++;
    return values;
}

TEMPLATE_TEST_CASE("a view and its Eigen map are the same memory", "[tensor][eigen]", float, double, int) {
    auto const rows = GENERATE(1, 7, 32);
    auto const columns = GENERATE(1, 5, 65);
    auto values = counting<TestType>(rows, columns);
    auto map = as_eigen(values.view());
    CHECK(map.data() == values.data());
    CHECK(map.rows() == rows);
    CHECK(map.cols() == columns);
    bool equal = true;
    for (index r = 0; r < rows; ++r)
        for (index c = 0; c < columns; ++c) equal = equal && map(r, c) == values(r, c);
    CHECK(equal);
    map(rows - 1, columns - 1) = TestType(-5);
    CHECK(values(rows - 1, columns - 1) == TestType(-5));
    values(0, 0) = TestType(9);
    CHECK(map(0, 0) == TestType(9));
}

TEST_CASE("an Eigen map keeps the distance between rows", "[tensor][eigen]") {
    auto values = counting<float>(4, 5);
    view<float, 2> const left{values.data(), {4, 2}, {5, 1}};
    auto map = as_eigen(left);
    CHECK(map.outerStride() == 5);
    CHECK(map(3, 1) == 16);
    map.setZero();
    CHECK(values(3, 1) == 0);
    CHECK(values(3, 2) == 17);  // what lies between the rows is left alone
    CHECK(as_eigen(left.rows(1, 2)).data() == values.data() + 5);
}

TEST_CASE("a vector view is an Eigen vector", "[tensor][eigen]") {
    auto values = counting<double>(3, 4);
    auto row = as_eigen(values[1]);
    STATIC_REQUIRE(decltype(row)::ColsAtCompileTime == 1);
    CHECK(row.data() == values.data() + 4);
    CHECK(row.size() == 4);
    CHECK(row.sum() == 4 + 5 + 6 + 7);
}

TEST_CASE("empty views map to empty matrices", "[tensor][eigen]") {
    buffer<float, 2> none{{0, 3}};
    CHECK(as_eigen(none.view()).rows() == 0);
    CHECK(as_eigen(none.view()).sum() == 0);
    row_major<float> matrix(0, 3);
    CHECK(as_view(matrix).extents() == std::array<index, 2>{0, 3});
}

TEST_CASE("an Eigen matrix and its view are the same memory", "[tensor][eigen]") {
    row_major<float> matrix = row_major<float>::Random(7, 5);
    auto seen = as_view(matrix);
    STATIC_REQUIRE(std::is_same_v<decltype(seen), view<float, 2>>);
    CHECK(seen.data() == matrix.data());
    CHECK(seen.extents() == std::array<index, 2>{7, 5});
    CHECK(seen.dense());
    seen(6, 4) = 11;
    CHECK(matrix(6, 4) == 11);
    matrix(2, 3) = 12;
    CHECK(seen(2, 3) == 12);
}

TEST_CASE("maps, refs, blocks and fixed sizes can be viewed", "[tensor][eigen]") {
    row_major<double> matrix = row_major<double>::Random(6, 8);
    auto const block = matrix.block(1, 2, 3, 4);
    auto const seen = as_view(block);
    CHECK(seen.data() == &matrix(1, 2));
    CHECK(seen.strides() == std::array<index, 2>{8, 1});
    CHECK(seen(2, 3) == matrix(3, 5));

    Eigen::Ref<row_major<double>> ref = matrix.topRows(2);
    CHECK(as_view(ref).data() == matrix.data());
    CHECK(as_view(ref).extent(0) == 2);

    Eigen::Matrix<float, 2, 3, Eigen::RowMajor> fixed;
    fixed << 1, 2, 3, 4, 5, 6;
    CHECK(as_view(fixed)(1, 0) == 4);

    Eigen::VectorXd vector = Eigen::VectorXd::Random(9);
    auto tail = as_view(vector);
    STATIC_REQUIRE(decltype(tail)::rank == 1);
    CHECK(tail.data() == vector.data());
    tail[8] = 3;
    CHECK(vector(8) == 3);
    auto const row = matrix.row(4);
    CHECK(as_view(row)[7] == matrix(4, 7));
}

TEST_CASE("there and back is the view itself", "[tensor][eigen]") {
    auto values = counting<float>(5, 6);
    view<float, 2> const strided{values.data() + 1, {5, 3}, {6, 1}};
    auto map = as_eigen(strided);
    auto const back = as_view(map);
    CHECK(back.data() == strided.data());
    CHECK(back.extents() == strided.extents());
    CHECK(back.strides() == strided.strides());
}

TEST_CASE("const stays const on either side", "[tensor][eigen]") {
    auto const values = counting<float>(2, 2);
    auto map = as_eigen(values.view());
    STATIC_REQUIRE(std::is_same_v<decltype(map.data()), float const*>);
    STATIC_REQUIRE(std::is_same_v<decltype(as_view(map)), view<float const, 2>>);

    row_major<float> const matrix = row_major<float>::Zero(2, 2);
    STATIC_REQUIRE(std::is_same_v<decltype(as_view(matrix)), view<float const, 2>>);
    STATIC_REQUIRE(std::is_same_v<decltype(as_view(std::declval<Eigen::VectorXf const&>())), view<float const, 1>>);
    STATIC_REQUIRE(std::is_same_v<decltype(as_view(std::declval<Eigen::VectorXf&>())), view<float, 1>>);
    CHECK(map(1, 1) == 3);
}

}  // namespace
}  // namespace plateau
