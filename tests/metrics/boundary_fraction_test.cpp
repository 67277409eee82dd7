#include <plateau/metrics/boundary_fraction.hpp>
#include <plateau/metrics/largest_element.hpp>

#include <plateau/tensor/buffer.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace metrics = plateau::metrics;
namespace tensor = plateau::tensor;

TEST_CASE("the boundary fraction counts neighbours that differ", "[metrics][boundary_fraction]") {
    tensor::buffer<index, 2> map({3, 3});
    CHECK(metrics::boundary_fraction(tensor::view<index const, 2>(map)) == 0);
    map(0, 0) = 1;  // a corner has two neighbours
    CHECK(metrics::boundary_fraction(tensor::view<index const, 2>(map)) == 2.0 / 12);
    map(1, 1) = 2;
    CHECK(metrics::boundary_fraction(tensor::view<index const, 2>(map)) == 6.0 / 12);
    for (index i = 0; i < 9; ++i) map.data()[i] = i;
    CHECK(metrics::boundary_fraction(tensor::view<index const, 2>(map)) == 1);
}

TEST_CASE("the largest element is that of the largest magnitude, the first of equals", "[metrics][largest_element]") {
    tensor::buffer<double, 2> matrix({2, 3});
    matrix(0, 2) = 4, matrix(1, 0) = -5, matrix(1, 2) = 5;
    auto const [row, column, value] = metrics::largest_element(matrix);
    CHECK(row == 1);
    CHECK(column == 0);
    CHECK(value == -5);
}

}  // namespace
