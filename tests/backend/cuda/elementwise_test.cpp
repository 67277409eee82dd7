#include <plateau/backend/cuda/elementwise.hpp>

#include <limits>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

index odd_width() { return GENERATE(1, 7, 32, 65, 129, 1000); }

/// x after `change(ctx, rows)`, in every order.
template <class T, class F>
buffer<T, 2> changed(buffer<T, 2> const& x, index gap, F const& change) {
    return in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<T> rows{ctx, x, gap};
        change(ctx, rows);
        return testing::to_host(ctx, rows);
    });
}

TEMPLATE_TEST_CASE("activations, plain and gated", "[cuda][elementwise]", float, double) {
    auto const kind = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu);
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const x = random_buffer<TestType, 2>({5, width}, 1, 4), up = random_buffer<TestType, 2>({5, width}, 2);
    buffer<TestType, 2> cpu(x.extents());
    buffer<double, 2> exact(x.extents());
    // 1 + erf and 1 + tanh cancel for negative x: the error is relative to x, not to the result
    auto const tolerance = [&](index i) { return rounding_tolerance<TestType>(static_cast<double>(x.data()[i])); };

    auto const plain = changed(
        x, gap, [&](auto const& ctx, auto& rows) { backend::activate<TestType>(ctx, kind, rows, {}, rows.view()); });
    backend::activate<TestType>(on_cpu, kind, x, {}, cpu.view());
    backend::activate<double>(on_cpu, kind, in_double(x), {}, exact.view());
    require_close(plain, exact, tolerance);
    require_close(cpu, exact, tolerance);

    auto const gated = changed(x, gap, [&](auto const& ctx, auto& rows) {
        auto const others = backend::to_device(ctx, up);
        backend::activate<TestType>(ctx, kind, rows, others, rows.view());
    });
    for (index i = 0; i < x.size(); ++i) REQUIRE(gated.data()[i] == plain.data()[i] * up.data()[i]);
}

TEMPLATE_TEST_CASE("activations of huge values are their limits, never NaN; a NaN stays one", "[cuda][elementwise]",
                   float, double) {
    auto const kind = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu);
    TestType const most = std::numeric_limits<TestType>::max();
    buffer<TestType, 2> x({1, 5});
    x(0, 0) = most;
    x(0, 1) = -most;
    x(0, 2) = TestType(1e4);
    x(0, 3) = TestType(-1e4);
    x(0, 4) = std::numeric_limits<TestType>::quiet_NaN();
    auto const y = changed(
        x, 0, [&](auto const& ctx, auto& rows) { backend::activate<TestType>(ctx, kind, rows, {}, rows.view()); });
    CHECK(y(0, 0) == most);
    CHECK(y(0, 1) == 0);
    CHECK(y(0, 2) == TestType(1e4));
    CHECK(y(0, 3) == 0);
    CHECK(std::isnan(y(0, 4)));
}

TEMPLATE_TEST_CASE("sums, factors, bounds: the bits of the CPU's plain kernels", "[cuda][elementwise]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const x = random_buffer<TestType, 2>({5, width}, 1, 4), y = random_buffer<TestType, 2>({5, width}, 2);
    auto const bias = random_buffer<TestType, 1>({width}, 3);
    auto expected = x.clone();

    auto const sum = changed(x, gap, [&](auto const& ctx, auto& rows) {
        device_rows<TestType> others{ctx, y, gap};
        backend::add<TestType>(ctx, others, rows.view());
    });
    for (index i = 0; i < x.size(); ++i) REQUIRE(sum.data()[i] == x.data()[i] + y.data()[i]);

    auto const biased = changed(x, gap, [&](auto const& ctx, auto& rows) {
        auto const one = backend::to_device(ctx, bias);
        backend::add<TestType>(ctx, backend::device_view<TestType const, 2>{one.view().data(), {5, width}, {0, 1}},
                               rows.view());
    });
    for (index r = 0; r < 5; ++r) {
        for (index i = 0; i < width; ++i) REQUIRE(biased(r, i) == x(r, i) + bias(i));
    }

    auto const scaled = changed(
        x, gap, [&](auto const& ctx, auto& rows) { backend::scale<TestType>(ctx, rows.view(), TestType(1.7)); });
    for (index i = 0; i < x.size(); ++i) REQUIRE(scaled.data()[i] == x.data()[i] * TestType(1.7));

    auto const clipped =
        changed(x, gap, [&](auto const& ctx, auto& rows) { backend::clip<TestType>(ctx, rows.view(), TestType(2)); });
    backend::clip<TestType>(on_cpu, expected.view(), TestType(2));
    CHECK(same_rows(clipped.view(), expected.view()));

    auto const capped =
        changed(x, gap, [&](auto const& ctx, auto& rows) { backend::cap<TestType>(ctx, rows.view(), TestType(3)); });
    auto exact = in_double(x);
    backend::cap<double>(on_cpu, exact.view(), 3.0);
    require_close(capped, exact, [&](index i) { return rounding_tolerance<TestType>(exact.data()[i]); });
}

TEMPLATE_TEST_CASE("the first row that is not finite", "[cuda][elementwise]", float, double) {
    index const width = odd_width();
    auto x = random_buffer<TestType, 2>({9, width}, 1);
    auto const first = [&] {
        auto const found = in_every_order([&](backend::cuda_context const& ctx) {
            auto const rows = backend::to_device(ctx, x);
            buffer<index, 1> result({1});
            result(0) = backend::first_not_finite<TestType>(ctx, rows.view());
            return result;
        });
        return found(0);
    };
    CHECK(first() == -1);
    x(7, width - 1) = std::numeric_limits<TestType>::infinity();
    CHECK(first() == 7);
    x(4, width / 2) = std::numeric_limits<TestType>::quiet_NaN();
    CHECK(first() == 4);
}

TEMPLATE_TEST_CASE("the first rows that are not finite, noted without waiting", "[cuda][elementwise]", float, double) {
    auto x = random_buffer<TestType, 2>({9, 65}, 1);
    auto const whole = x.clone();
    x(5, 64) = std::numeric_limits<TestType>::quiet_NaN();
    x(8, 0) = std::numeric_limits<TestType>::infinity();
    auto const noted = in_every_order([&](backend::cuda_context const& ctx) {
        auto const rows = backend::to_device(ctx, x), others = backend::to_device(ctx, whole);
        backend::device_buffer<index, 1> cells{ctx, {3}};
        auto const cell = [&](index i) { return cells.view().rows(i, 1); };
        backend::note_not_finite<TestType>(ctx, rows, cell(2));
        backend::note_not_finite<TestType>(ctx, others, cell(0));
        backend::note_not_finite<TestType>(ctx, rows.view().rows(6, 3), cell(1));
        return backend::to_host(ctx, cells);
    });
    buffer<index, 1> cpu({3});
    backend::note_not_finite<TestType>(on_cpu, x, cpu.view().rows(2, 1));
    backend::note_not_finite<TestType>(on_cpu, whole, cpu.view().rows(0, 1));
    backend::note_not_finite<TestType>(on_cpu, x.view().rows(6, 3), cpu.view().rows(1, 1));
    for (index i = 0; i < 3; ++i) {
        CHECK(noted(i) == std::array<index, 3>{-1, 2, 5}[static_cast<std::size_t>(i)]);
        CHECK(cpu(i) == noted(i));
    }
}

TEMPLATE_TEST_CASE("rotations of heads, whole or in part", "[cuda][elementwise][rope]", float, double) {
    index const heads = GENERATE(1, 3), half = GENERATE(1, 4, 5, 32, 65), rest = GENERATE(0, 3),
                gap = GENERATE(0, 1, 3);
    index const width = 2 * half + rest;
    auto const x = random_buffer<TestType, 2>({5, heads * width}, 1);
    buffer<TestType, 2> cosines({5, half}), sines({5, half});
    for (index r = 0; r < 5; ++r) {
        for (index i = 0; i < half; ++i) {
            double const angle = static_cast<double>(r + 1) / static_cast<double>(i + 1);
            cosines(r, i) = static_cast<TestType>(std::cos(angle));
            sines(r, i) = static_cast<TestType>(std::sin(angle));
        }
    }
    auto const turned = changed(x, gap, [&](auto const& ctx, auto& rows) {
        device_rows<TestType> c{ctx, cosines, gap}, s{ctx, sines, gap};
        backend::rotate<TestType>(ctx, rows.view(), heads, c, s);
    });
    auto exact = in_double(x);
    auto cpu = x.clone();
    backend::rotate<double>(on_cpu, exact.view(), heads, in_double(cosines), in_double(sines));
    backend::rotate<TestType>(on_cpu, cpu.view(), heads, cosines, sines);
    auto const tolerance = [](index) {
        return rounding_tolerance<TestType>(4);
    };  // a difference of products of that size
    require_close(turned, exact, tolerance);
    require_close(cpu, exact, tolerance);
}

TEST_CASE("element-wise operations refuse extents that do not fit", "[cuda][elementwise]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> x{ctx, {3, 8}}, narrow{ctx, {3, 7}}, angles{ctx, {3, 5}};
    CHECK_THROWS_AS(backend::add<float>(ctx, narrow, x.view()), shape_error);
    CHECK_THROWS_AS(backend::activate<float>(ctx, activation::relu, x, {}, narrow.view()), shape_error);
    CHECK_THROWS_AS(backend::activate<float>(ctx, activation::relu, x, narrow, x.view()), shape_error);
    backend::device_buffer<index, 1> cells{ctx, {2}};
    CHECK_THROWS_AS(backend::note_not_finite<float>(ctx, x, cells.view()), shape_error);
    CHECK_THROWS_AS(backend::rotate<float>(ctx, x.view(), 1, angles, angles), shape_error);
    CHECK_THROWS_AS(backend::rotate<float>(ctx, narrow.view(), 2, {}, {}), shape_error);
}

}  // namespace
