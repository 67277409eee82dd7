#include <plateau/backend/cuda/rows.hpp>

#include <plateau/metrics/l2_distance.hpp>
#include <plateau/paths/linear.hpp>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

index odd_width() { return GENERATE(1, 7, 32, 65, 129, 1000, 2500); }

template <class T>
buffer<T, 1> numbers(std::vector<T> const& values) {
    buffer<T, 1> x({static_cast<index>(values.size())});
    std::copy(values.begin(), values.end(), x.data());
    return x;
}

TEMPLATE_TEST_CASE("rows of a table", "[cuda][rows]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const table = random_buffer<TestType, 2>({11, width}, 1);
    auto const ids = numbers<index>({3, 10, 0, 3, 11, -1, 7});
    auto const rows = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> from{ctx, table, gap};
        auto const which = backend::to_device(ctx, ids);
        backend::device_buffer<TestType, 2> out{ctx, {7, width}};
        backend::gather_rows<TestType>(ctx, from, which.view(), out.view());
        return backend::to_host(ctx, out);
    });
    for (index r : {0, 1, 2, 3, 6}) REQUIRE(same_bits(rows[r].data(), table[ids(r)].data(), width));
    for (index i = 0; i < width; ++i) REQUIRE((std::isnan(rows(4, i)) && std::isnan(rows(5, i))));
}

TEMPLATE_TEST_CASE("points of straight lines have the bits of paths::linear", "[cuda][rows]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto a = random_buffer<TestType, 2>({2, width}, 1);
    auto const b = random_buffer<TestType, 2>({2, width}, 2);
    a(0, 0) = TestType(-0.0);
    auto const pairs = numbers<index>({0, 0, 0, 1, 1, 1, 0, 1, 1});
    auto const alphas = numbers<double>({0, 0.5, 1, 0, 1.0 / 3, 1, -0.7, 1.2, 0.01});
    auto const points = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> from{ctx, a, gap}, to{ctx, b, gap};
        auto const which = backend::to_device(ctx, pairs);
        auto const where = backend::to_device(ctx, alphas);
        backend::device_buffer<TestType, 2> out{ctx, {9, width}};
        backend::linear_points<TestType>(ctx, from, to, which.view(), where.view(), out.view());
        return backend::to_host(ctx, out);
    });
    std::vector<TestType> expected(static_cast<std::size_t>(width));
    for (index r = 0; r < 9; ++r) {
        index const p = pairs(r);
        paths::linear<TestType> const path{a[p].flat(), b[p].flat()};
        path(alphas(r), expected);
        REQUIRE(same_bits(points[r].data(), expected.data(), width));
    }
}

TEMPLATE_TEST_CASE("distances of rows to their references", "[cuda][rows]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const x = random_buffer<TestType, 2>({6, width}, 1), y = random_buffer<TestType, 2>({3, width}, 2);
    auto const references = numbers<index>({0, 0, 2, 1, 1, 0});
    auto const distances = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> rows{ctx, x, gap}, others{ctx, y, gap};
        auto const which = backend::to_device(ctx, references);
        backend::device_buffer<double, 1> out{ctx, {6}};
        backend::row_distances<TestType>(ctx, rows.view(), others, which.view(), out.view());
        return backend::to_host(ctx, out);
    });
    for (index r = 0; r < 6; ++r) {
        double const expected = metrics::l2_distance<TestType>(x[r].flat(), y[references(r)].flat());
        REQUIRE_THAT(distances(r), WithinRel(expected, sum_tolerance<double>(width, 1)));
    }
}

TEST_CASE("a row is at no distance from itself, and a small difference of large rows is not lost", "[cuda][rows]") {
    buffer<float, 2> x({2, 129});
    for (index i = 0; i < 129; ++i) x(0, i) = x(1, i) = 1e6f;
    x(1, 128) = std::nextafter(1e6f, 2e6f);
    auto const distances = in_every_order([&](backend::cuda_context const& ctx) {
        auto const rows = backend::to_device(ctx, x);
        auto const which = backend::to_device(ctx, buffer<index, 1>({2}));
        backend::device_buffer<double, 1> out{ctx, {2}};
        backend::row_distances<float>(ctx, rows.view(), rows, which.view(), out.view());
        return backend::to_host(ctx, out);
    });
    CHECK(distances(0) == 0);
    CHECK(distances(1) == 0.0625);
}

TEMPLATE_TEST_CASE("parts of rows are replaced, or added to", "[cuda][rows]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const x = random_buffer<TestType, 2>({5, width}, 1);
    auto const values = random_buffer<TestType, 1>({2 * width}, 2);
    index const some = (width + 1) / 2;
    std::vector<backend::row_edit> const edits{{0, 0, width, 0, false}, {3, width - some, some, width, true}, {3, 0, width - some, 3 % width, false}, {4, 0, 0, 0, true}};
    auto expected = x.clone();
    for (auto const& one : edits) {
        for (index i = 0; i < one.width; ++i) {
            auto& to = expected(one.row, one.column + i);
            to = one.keeps ? to + values(one.values + i) : values(one.values + i);
        }
    }
    auto const rows = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> on{ctx, x, gap};
        auto const from = backend::to_device(ctx, values);
        auto const which = backend::to_device(ctx, tensor::view<backend::row_edit const, 1>{edits.data(), {static_cast<index>(edits.size())}});
        backend::edit_rows<TestType>(ctx, from, which.view(), on.view());
        return testing::to_host(ctx, on);
    });
    REQUIRE(same_bits(rows.data(), expected.data(), rows.size()));
}

TEST_CASE("operations on rows refuse extents that do not fit", "[cuda][rows]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> x{ctx, {3, 8}}, narrow{ctx, {3, 7}};
    backend::device_buffer<index, 1> const two{ctx, {2}}, three{ctx, {3}};
    backend::device_buffer<double, 1> fractions{ctx, {3}};
    CHECK_THROWS_AS(backend::gather_rows<float>(ctx, narrow, three.view(), x.view()), shape_error);
    CHECK_THROWS_AS(backend::gather_rows<float>(ctx, x, two.view(), x.view()), shape_error);
    backend::device_view<double const, 1> const alphas = fractions;
    CHECK_THROWS_AS(backend::linear_points<float>(ctx, narrow, narrow, three.view(), alphas, x.view()), shape_error);
    CHECK_THROWS_AS(backend::linear_points<float>(ctx, x, x, two.view(), alphas, x.view()), shape_error);
    backend::device_view<float const, 2> const rows = x;
    CHECK_THROWS_AS(backend::row_distances<float>(ctx, rows, narrow, three.view(), fractions.view()), shape_error);
    CHECK_THROWS_AS(backend::row_distances<float>(ctx, rows, x, two.view(), fractions.view()), shape_error);
}

}  // namespace
