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

TEMPLATE_TEST_CASE("parts of rows are edited as on the CPU", "[cuda][rows]", float, double) {
    using enum backend::edit_kind;
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto x = random_buffer<TestType, 2>({9, width}, 1);
    std::copy_n(x[5].data(), width, x[6].data());
    auto const values = random_buffer<TestType, 1>({2 * width + 8}, 2);
    index const some = (width + 1) / 2, rest = width - some;
    std::vector<backend::row_edit> const edits{{0, 0, width, 0, replace},        {3, rest, some, some, add},
                                               {3, 0, rest, 3 % width, replace}, {4, 0, 0, 0, add},
                                               {1, 0, width, 7, scale},          {2, rest, some, 1, scale},
                                               {2, 0, rest, 4, project_out},     {5, 0, width, 4, project_out},
                                               {6, 0, width, 4, project_out},    {8, some, rest, width, project_out}};
    auto const which = tensor::view<backend::row_edit const, 1>{edits.data(), {static_cast<index>(edits.size())}};
    auto on_host = x.clone();
    backend::edit_rows<TestType>(on_cpu, values, which, on_host);
    auto exact = in_double(x);
    tensor::buffer<double, 2> tolerance({9, width});  // none but where directions are projected out
    for (auto const& one : edits) {
        double along = 0, square = 0, magnitude = 0;
        auto const at = [&](index i) -> double& { return exact(one.row, one.column + i); };
        auto const v = [&](index i) { return static_cast<double>(values(one.values + i)); };
        for (index i = 0; i < one.width && one.kind == project_out; ++i) {
            along += at(i) * v(i);
            square += v(i) * v(i);
            magnitude += std::abs(at(i) * v(i));
        }
        for (index i = 0; i < one.width; ++i) {
            // sum and product of the type, which are rounded as they are in double and then in it
            double const before = at(i);
            switch (one.kind) {
                case replace: at(i) = v(i); break;
                case add: at(i) = static_cast<double>(static_cast<TestType>(before) + values(one.values + i)); break;
                case scale: at(i) = static_cast<double>(static_cast<TestType>(before) * values(one.values)); break;
                case project_out:
                    at(i) = before - along / square * v(i);
                    tolerance(one.row, one.column + i) =
                        rounding_tolerance<TestType>(at(i)) +
                        3 * sum_tolerance<double>(width, magnitude) / square * std::abs(v(i)) +
                        rounding_tolerance<double>(before);
            }
        }
    }
    auto const rows = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> on{ctx, x, gap};
        auto const from = backend::to_device(ctx, values), to = backend::to_device(ctx, which);
        backend::edit_rows<TestType>(ctx, from, to.view(), on.view());
        return testing::to_host(ctx, on);
    });
    auto const allowed = [&](index i) { return tolerance.data()[i]; };
    require_close(rows, exact, allowed);
    require_close(on_host, exact, allowed);
    REQUIRE(same_bits(rows[5].data(), rows[6].data(), width));  // at other distances from multiples of 16 bytes
}

TEST_CASE("a projection is summed in double, and what is none shows", "[cuda][rows]") {
    // 2²⁵ + 1 + ... cancel to what a sum of floats would lose
    constexpr index width = 129;
    buffer<float, 2> x({2, width});
    buffer<float, 1> v({2 * width});
    for (index i = 0; i < width; ++i)
        v(i) = 1, x(0, i) = i == 0 ? 33554432.0f : i == 128 ? -33554432.0f : 1.0f, x(1, i) = 1;
    std::vector<backend::row_edit> const edits{{0, 0, width, 0, backend::edit_kind::project_out},
                                               {1, 0, width, width, backend::edit_kind::project_out}};
    auto const rows = in_every_order([&](backend::cuda_context const& ctx) {
        auto on = backend::to_device(ctx, x);
        auto const from = backend::to_device(ctx, v);
        auto const which = backend::to_device(ctx, tensor::view<backend::row_edit const, 1>{edits.data(), {2}});
        backend::edit_rows<float>(ctx, from, which.view(), on.view());
        return backend::to_host(ctx, on);
    });
    for (index i = 1; i < 128; ++i) CHECK_THAT(rows(0, i), WithinAbs(1 - 127.0 / 129, 1e-8));
    for (index i = 0; i < width; ++i) CHECK(std::isnan(rows(1, i)));  // along no direction
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
