// The sizes of large models: slow on the emulation, so none of it is in the fast tier.
#include <plateau/backend/cuda.hpp>

#include "backend/cuda/attention_problems.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

constexpr index wide = 4096;

TEMPLATE_TEST_CASE("norms, distances and element-wise operations on rows of 4096", "[cuda][norm][full]", float,
                   double) {
    auto const x = random_buffer<TestType, 2>({3, wide}, 1, 3), y = random_buffer<TestType, 2>({3, wide}, 2);
    auto const weight = random_buffer<TestType, 1>({wide}, 3), bias = random_buffer<TestType, 1>({wide}, 4);
    auto const kind = GENERATE(norm_kind::rms, norm_kind::layer);
    buffer<TestType, 2> cpu(x.extents());
    buffer<double, 2> exact(x.extents());
    auto const compute =
        [&](auto const& ctx, auto const& rows, auto const& others, auto const& w, auto const& b, auto out) {
        using T = typename decltype(out)::value_type;
        backend::norm<T>(ctx, kind, rows, 1e-5, w, b, out);
        backend::add<T>(ctx, others, out);
        backend::activate<T>(ctx, activation::silu, out, others, out);
    };
    compute(on_cpu, x, y, weight, bias, cpu.view());
    compute(on_cpu, in_double(x), in_double(y), in_double(weight), in_double(bias), exact.view());
    auto const device = in_every_order([&](backend::cuda_context const& ctx) {
        auto const rows = backend::to_device(ctx, x), others = backend::to_device(ctx, y);
        auto const w = backend::to_device(ctx, weight), b = backend::to_device(ctx, bias);
        backend::device_buffer<TestType, 2> out{ctx, x.extents()};
        compute(ctx, rows, others, w, b, out.view());
        return backend::to_host(ctx, out);
    });
    auto const tolerance = [&](index) { return sum_tolerance<TestType>(64, 20); };
    require_close(device, exact, tolerance);
    require_close(cpu, exact, tolerance);

    buffer<index, 1> references({3});
    for (index r = 0; r < 3; ++r) references(r) = 2 - r;
    auto const distances = in_every_order([&](backend::cuda_context const& ctx) {
        auto const rows = backend::to_device(ctx, x), others = backend::to_device(ctx, y);
        auto const which = backend::to_device(ctx, references);
        backend::device_buffer<double, 1> out{ctx, {3}};
        backend::row_distances<TestType>(ctx, rows.view(), others, which.view(), out.view());
        return backend::to_host(ctx, out);
    });
    for (index r = 0; r < 3; ++r) {
        double sum = 0;
        for (index i = 0; i < wide; ++i) {
            double const d = static_cast<double>(x(r, i)) - static_cast<double>(y(2 - r, i));
            sum += d * d;
        }
        CHECK_THAT(distances(r), WithinRel(std::sqrt(sum), sum_tolerance<double>(wide, 1)));
    }
}

TEMPLATE_TEST_CASE("products with 4096 inputs, or as many outputs", "[cuda][linear][full]", float, double) {
    auto const [outputs, inputs] = GENERATE(table<index, index>({{48, wide}, {wide, 48}}));
    auto const x = random_buffer<TestType, 2>({7, inputs}, 1), w = random_buffer<TestType, 2>({outputs, inputs}, 2);
    buffer<double, 2> exact({7, outputs});
    for (index r = 0; r < 7; ++r) {
        for (index n = 0; n < outputs; ++n) {
            for (index k = 0; k < inputs; ++k)
                exact(r, n) += static_cast<double>(x(r, k)) * static_cast<double>(w(n, k));
        }
    }
    backend::cuda_context const ctx;
    backend::device_weight<TestType> const weight{ctx, w};
    auto const rows = backend::to_device(ctx, x);
    backend::device_buffer<TestType, 2> y{ctx, {7, outputs}};
    backend::linear<TestType>(ctx, rows, weight, y.view());
    require_close(backend::to_host(ctx, y), exact, [&](index) { return sum_tolerance<TestType>(inputs, 1); });
}

TEMPLATE_TEST_CASE("attention after prefixes of up to 2048 keys, of heads of 24 to 256", "[cuda][attention][full]",
                   float, double) {
    index const width = GENERATE(24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256), prefix = GENERATE(513, 2048);
    auto const p = random_problem<TestType>(3, 4, 2, width, 1, prefix);
    std::vector<part> const parts{{0, 1, prefix}, {1, 2, prefix, 1}};
    auto const exact = on_host(widened(p), parts);
    backend::cuda_context const ctx;
    device_problem<TestType> on{ctx, p, parts, 0};
    backend::device_buffer<TestType, 2> z{ctx, p.q.extents()};
    backend::prefix_attention<TestType>(ctx, p.shape, on.q, on.keys, on.values, on.segments, z.view());
    require_close(backend::to_host(ctx, z), exact,
                  [&](index) { return sum_tolerance<TestType>(prefix + 16 * width, 1); });
}

}  // namespace
