#include <plateau/backend/cuda/norm.hpp>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

index odd_width() { return GENERATE(1, 7, 32, 65, 129, 1000); }

TEMPLATE_TEST_CASE("the divisors of both norms, and rows divided by them", "[cuda][norm]", float, double) {
    index const width = odd_width(), gap = GENERATE(0, 1, 3);
    auto const x = random_buffer<TestType, 2>({3, width}, 1, 3);
    double const epsilon = 1e-5;
    buffer<TestType, 2> cpu_rows(x.extents());
    buffer<TestType, 1> cpu_scale({3});
    buffer<double, 2> exact_rows(x.extents());
    buffer<double, 1> exact_scale({3});

    auto const scales_of = [&](auto const& normalise) {
        return in_every_order([&](backend::cuda_context const& ctx) {
            device_rows<TestType> rows{ctx, x, gap};
            backend::device_buffer<TestType, 1> scale{ctx, {3}};
            normalise(ctx, rows, scale);
            return backend::to_host(ctx, scale);
        });
    };
    auto const rows_of = [&](auto const& normalise) {
        return in_every_order([&](backend::cuda_context const& ctx) {
            device_rows<TestType> rows{ctx, x, gap};
            backend::device_buffer<TestType, 1> scale{ctx, {3}};
            normalise(ctx, rows, scale);
            backend::divide_rows<TestType>(ctx, rows, scale, rows.view());
            return testing::to_host(ctx, rows);
        });
    };

    SECTION("rms") {
        auto const normalise = [&](auto const& ctx, auto& rows, auto& scale) {
            backend::rms_scale<TestType>(ctx, rows, epsilon, scale);
        };
        backend::rms_scale<TestType>(on_cpu, x, epsilon, cpu_scale.view());
        backend::rms_scale<double>(on_cpu, in_double(x), epsilon, exact_scale.view());
        backend::divide_rows<TestType>(on_cpu, x, cpu_scale, cpu_rows.view());
        backend::divide_rows<double>(on_cpu, in_double(x), exact_scale, exact_rows.view());
        require_rounded(scales_of(normalise), cpu_scale, exact_scale);
        require_rounded(rows_of(normalise), cpu_rows, exact_rows);
    }
    SECTION("layer") {
        auto const normalise = [&](auto const& ctx, auto& rows, auto& scale) {
            backend::centre_and_scale<TestType>(ctx, rows, epsilon, rows.view(), scale);
        };
        backend::centre_and_scale<TestType>(on_cpu, x, epsilon, cpu_rows.view(), cpu_scale.view());
        backend::centre_and_scale<double>(on_cpu, in_double(x), epsilon, exact_rows.view(), exact_scale.view());
        require_rounded(scales_of(normalise), cpu_scale, exact_scale);
        backend::divide_rows<TestType>(on_cpu, cpu_rows, cpu_scale, cpu_rows.view());
        backend::divide_rows<double>(on_cpu, exact_rows, exact_scale, exact_rows.view());
        // the mean carries an error of double, relative to itself
        auto const tolerance = [&](index i) {
            return rounding_tolerance<TestType>(exact_rows.data()[i]) +
                   64 * epsilon_of<double> / exact_scale.data()[i / width];
        };
        require_close(rows_of(normalise), exact_rows, tolerance);
        require_close(cpu_rows, exact_rows, tolerance);
    }
}

TEMPLATE_TEST_CASE("a norm in one kernel has the bits of its steps", "[cuda][norm]", float, double) {
    index const width = odd_width();
    auto const kind = GENERATE(norm_kind::rms, norm_kind::layer);
    bool const weighted = GENERATE(true, false), biased = GENERATE(true, false);
    auto const x = random_buffer<TestType, 2>({5, width}, 2);
    auto const w = random_buffer<TestType, 1>({width}, 3), b = random_buffer<TestType, 1>({width}, 4);
    auto const at_once = [&](backend::cuda_context const& ctx) {
        auto rows = backend::to_device(ctx, x);
        auto const weight = backend::to_device(ctx, w), bias = backend::to_device(ctx, b);
        using view = backend::device_view<TestType const, 1>;
        view const some_weight = weighted ? weight.view() : view{}, some_bias = biased ? bias.view() : view{};
        backend::norm<TestType>(ctx, kind, rows, 1e-5, some_weight, some_bias, rows.view());
        return backend::to_host(ctx, rows);
    };
    auto const in_steps = [&](backend::cuda_context const& ctx) {
        auto rows = backend::to_device(ctx, x);
        backend::device_buffer<TestType, 1> scale{ctx, {5}};
        auto const weight = backend::to_device(ctx, w), bias = backend::to_device(ctx, b);
        using view = backend::device_view<TestType const, 1>;
        view const some_weight = weighted ? weight.view() : view{}, some_bias = biased ? bias.view() : view{};
        if (kind == norm_kind::rms) backend::rms_scale<TestType>(ctx, rows, 1e-5, scale.view());
        else backend::centre_and_scale<TestType>(ctx, rows, 1e-5, rows.view(), scale.view());
        backend::divide_rows<TestType>(ctx, rows, scale, rows.view());
        backend::affine<TestType>(ctx, rows, some_weight, some_bias, rows.view());
        return backend::to_host(ctx, rows);
    };
    auto const result = in_every_order(at_once);
    auto const steps = in_every_order(in_steps);
    // a bias alone may be added in the operation that divides
    if (biased && !weighted) require_same_steps<TestType>(result.view(), steps.view(), 1);
    else CHECK(same_rows(result.view(), steps.view()));

    buffer<double, 2> exact(x.extents());
    buffer<double, 1> const none;
    backend::norm<double>(on_cpu, kind, in_double(x), 1e-5, weighted ? in_double(w) : none.clone(),
                          biased ? in_double(b) : none.clone(), exact.view());
    require_close(result, exact, [](index) { return 64 * epsilon_of<TestType>; });
}

TEMPLATE_TEST_CASE("a row is normalised alone", "[cuda][norm]", float, double) {
    index const width = odd_width();
    auto const row = random_buffer<TestType, 2>({1, width}, 1);
    auto x = random_buffer<TestType, 2>({9, width}, 2, 50);
    std::copy_n(row.data(), width, x[7].data());
    auto const normalised = [&](buffer<TestType, 2> const& rows) {
        return in_every_order([&](backend::cuda_context const& ctx) {
            auto on_device = backend::to_device(ctx, rows);
            backend::norm<TestType>(ctx, norm_kind::layer, on_device, 1e-5, {}, {}, on_device.view());
            return backend::to_host(ctx, on_device);
        });
    };
    CHECK(same_bits(normalised(x)[7].data(), normalised(row)[0].data(), width));
}

TEST_CASE("norms refuse extents that do not fit", "[cuda][norm]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> x{ctx, {3, 8}}, narrow{ctx, {3, 7}};
    backend::device_buffer<float, 1> two{ctx, {2}};
    CHECK_THROWS_AS(backend::rms_scale<float>(ctx, x, 1e-5, two.view()), shape_error);
    CHECK_THROWS_AS(backend::divide_rows<float>(ctx, x, two, x.view()), shape_error);
    CHECK_THROWS_AS(backend::affine<float>(ctx, x, two, {}, x.view()), shape_error);
    CHECK_THROWS_AS(backend::affine<float>(ctx, x, {}, two, x.view()), shape_error);
    CHECK_THROWS_AS(backend::norm<float>(ctx, norm_kind::rms, x, 1e-5, {}, {}, narrow.view()), shape_error);
    CHECK_THROWS_AS(backend::centre_and_scale<float>(ctx, x, 1e-5, narrow.view(), two.view()), shape_error);
}

TEST_CASE("no rows, nothing to do", "[cuda][norm]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> none{ctx, {0, 8}};
    backend::norm<float>(ctx, norm_kind::rms, none, 1e-5, {}, {}, none.view());
    CHECK(backend::to_host(ctx, none).size() == 0);
}

}  // namespace
