#include <plateau/backend/cpu/rows.hpp>

#include <vector>

#include <plateau/metrics/l2_distance.hpp>
#include <plateau/paths/linear.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::testing::random_buffer;
using plateau::testing::same_bits;

backend::cpu_context const ctx{1};

template <class T>
buffer<T, 1> numbers(std::vector<T> const& values) {
    buffer<T, 1> x({static_cast<index>(values.size())});
    std::copy(values.begin(), values.end(), x.data());
    return x;
}

TEMPLATE_TEST_CASE("points of straight lines have the bits of paths::linear", "[backend][rows]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 129, 1000);
    auto a = random_buffer<TestType, 2>({2, width}, 1);
    auto const b = random_buffer<TestType, 2>({2, width}, 2);
    a(0, 0) = TestType(-0.0);
    auto const pairs = numbers<index>({0, 0, 0, 1, 1, 1, 0, 1, 1});
    auto const alphas = numbers<double>({0, 0.5, 1, 0, 1.0 / 3, 1, -0.7, 1.2, 0.01});
    buffer<TestType, 2> points({9, width});
    backend::linear_points<TestType>(ctx, a, b, pairs, alphas, points);
    std::vector<TestType> expected(static_cast<std::size_t>(width));
    for (index r = 0; r < 9; ++r) {
        paths::linear<TestType> const path{a[pairs(r)].flat(), b[pairs(r)].flat()};
        path(alphas(r), expected);
        REQUIRE(same_bits(points[r].data(), expected.data(), width));
    }
}

TEMPLATE_TEST_CASE("distances of rows have the bits of metrics::l2_distance", "[backend][rows]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 129, 1000);
    auto const x = random_buffer<TestType, 2>({6, width}, 1), y = random_buffer<TestType, 2>({3, width}, 2);
    auto const references = numbers<index>({0, 0, 2, 1, 1, 0});
    buffer<double, 1> distances({6});
    backend::row_distances<TestType>(ctx, x, y, references, distances);
    for (index r = 0; r < 6; ++r) CHECK(same_bits(distances(r), metrics::l2_distance<TestType>(x[r].flat(), y[references(r)].flat())));
}

TEST_CASE("operations on rows refuse extents that do not fit", "[backend][rows][errors]") {
    buffer<float, 2> x({3, 8}), narrow({3, 7});
    buffer<index, 1> const two({2}), three({3});
    buffer<double, 1> fractions({3});
    CHECK_THROWS_AS(backend::linear_points<float>(ctx, narrow, narrow, three, fractions, x), shape_error);
    CHECK_THROWS_AS(backend::linear_points<float>(ctx, x, narrow, three, fractions, x), shape_error);
    CHECK_THROWS_AS(backend::linear_points<float>(ctx, x, x, two, fractions, x), shape_error);
    CHECK_THROWS_AS(backend::row_distances<float>(ctx, x, narrow, three, fractions), shape_error);
    CHECK_THROWS_AS(backend::row_distances<float>(ctx, x, x, two, fractions), shape_error);
}

}  // namespace
