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
    for (index r = 0; r < 6; ++r)
        CHECK(same_bits(distances(r), metrics::l2_distance<TestType>(x[r].flat(), y[references(r)].flat())));
}

TEMPLATE_TEST_CASE("parts of rows are replaced, added to, scaled and projected, the rest is left", "[backend][rows]",
                   float, double) {
    using enum backend::edit_kind;
    index const width = GENERATE(1, 7, 32, 65, 129, 1000), some = (width + 1) / 2, rest = width - some;
    auto const x = random_buffer<TestType, 2>({5, width}, 1);
    auto const values = random_buffer<TestType, 1>({width + 1}, 2);
    std::vector<backend::row_edit> const edits{{0, rest, some, 1, replace},
                                               {1, rest, some, 1, add},
                                               {2, rest, some, width, scale},
                                               {4, rest, some, 1, project_out}};
    auto changed = x.clone();
    backend::edit_rows<TestType>(ctx, values, {edits.data(), {4}}, changed);
    REQUIRE(same_bits(changed[3].data(), x[3].data(), width));
    for (index const r : {0, 1, 2, 4}) REQUIRE(same_bits(changed[r].data(), x[r].data(), rest));
    double along = 0, square = 0;
    for (index i = 0; i < some; ++i) {
        index const at = rest + i;
        TestType const v = values(1 + i);
        REQUIRE(changed(0, at) == v);
        REQUIRE(changed(1, at) == x(1, at) + v);
        REQUIRE(changed(2, at) == x(2, at) * values(width));
        along += static_cast<double>(changed(4, at)) * static_cast<double>(v);
        square += static_cast<double>(v) * static_cast<double>(v);
    }
    // nothing is left along the direction, but for a rounding of each value
    CHECK(std::abs(along) <= static_cast<double>(some) * testing::epsilon_of<TestType> * square * 4);
    for (index i = 0; i < some; ++i) {  // and what went was along it
        double const gone = static_cast<double>(x(4, rest + i)) - static_cast<double>(changed(4, rest + i));
        double const first = static_cast<double>(x(4, rest)) - static_cast<double>(changed(4, rest));
        CHECK(std::abs(gone * static_cast<double>(values(1)) - first * static_cast<double>(values(1 + i))) <=
              64 * testing::epsilon_of<TestType>);
    }
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
