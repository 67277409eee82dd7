#include <plateau/backend/cuda/tangents.hpp>

#include <cstdint>
#include <vector>

#include "backend/cuda/attention_problems.hpp"
#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

/// Every element within a few roundings of the largest of its row.
template <class T>
void require_near(buffer<T, 2> const& device, buffer<double, 2> const& exact) {
    double const rounding = std::is_same_v<T, double> ? 1e-14 : 4e-6;
    REQUIRE(device.extents() == exact.extents());
    for (index r = 0; r < exact.extent(0); ++r) {
        double largest = 0.02;
        for (index i = 0; i < exact.extent(1); ++i) largest = std::fmax(largest, std::abs(exact(r, i)));
        for (index i = 0; i < exact.extent(1); ++i) {
            double const value = static_cast<double>(device(r, i));
            if (!(std::abs(value - exact(r, i)) <= rounding * largest)) {
                CAPTURE(r, i, value, exact(r, i));
                FAIL("too far apart");
            }
        }
    }
}

struct followed {
    std::vector<index> rows{0, 0, 2, 1, 2};
    std::vector<std::uint8_t> held{0, 1, 0, 0, 1};
    backend::tangents_of of() const { return {rows, held}; }
};

TEMPLATE_TEST_CASE("tangents of norms on the device are the CPU's", "[cuda][tangents]", float, double) {
    followed const which;
    index const width = GENERATE(1, 7, 32, 65, 129, 1000), gap = GENERATE(0, 1);
    for (index const heads : {1, 3}) {
        auto const x = random_buffer<TestType, 2>({3, heads * width}, 1, 3),
                   dx = random_buffer<TestType, 2>({5, heads * width}, 2);
        auto const weight = random_buffer<TestType, 1>({width}, 3);
        for (auto const kind : {norm_kind::rms, norm_kind::layer}) {
            for (bool const weighted : {false, true}) {
                CAPTURE(width, heads, static_cast<int>(kind), weighted);
                auto const got = in_every_order([&](backend::cuda_context const& ctx) {
                    device_rows<TestType> values{ctx, x, gap}, from{ctx, dx, gap}, to{ctx, dx, gap};
                    auto const w = backend::to_device(ctx, weight);
                    backend::norm_tangents<TestType>(ctx, kind, values, heads, 0.1,
                                                     weighted ? w.view() : backend::device_view<TestType const, 1>{},
                                                     which.of(), from, to.view());
                    return testing::to_host(ctx, to);
                });
                buffer<double, 2> exact(dx.extents());
                auto const w = in_double(weight);
                backend::norm_tangents<double>(on_cpu, kind, in_double(x), heads, 0.1,
                                               weighted ? w.view() : tensor::view<double const, 1>{}, which.of(),
                                               in_double(dx), exact.view());
                require_near(got, exact);
            }
        }
    }
}

TEMPLATE_TEST_CASE("slopes, tangents and cotangents of activations on the device are the CPU's", "[cuda][tangents]",
                   float, double) {
    followed const which;
    index const width = GENERATE(1, 7, 65, 1000), gap = GENERATE(0, 1);
    bool const gated = GENERATE(false, true);
    auto const z = random_buffer<TestType, 2>({3, width}, 1, 3), up = random_buffer<TestType, 2>({3, width}, 2);
    auto const dz = random_buffer<TestType, 2>({5, width}, 3), dup = random_buffer<TestType, 2>({5, width}, 4);
    for (auto const kind : {activation::silu, activation::gelu, activation::gelu_tanh, activation::relu}) {
        for (bool const back : {false, true}) {
            CAPTURE(width, gated, static_cast<int>(kind), back);
            buffer<TestType, 2> of_factor(dz.extents());
            auto const got = in_every_order([&](backend::cuda_context const& ctx) {
                device_rows<TestType> slope{ctx, z, gap}, factor{ctx, up, gap}, moved{ctx, dz, gap},
                    other{ctx, dup, gap};
                // slopes in the places of what they are made of
                backend::activation_slopes<TestType>(ctx, kind, slope,
                                                     gated ? factor.view() : backend::device_view<TestType const, 2>{},
                                                     slope.view(), factor.view());
                if (back) {
                    backend::activation_cotangents<TestType>(ctx, slope, factor, which.of(), moved,
                                                             gated ? other.view() : backend::device_view<TestType, 2>{},
                                                             moved.view());
                } else {
                    backend::activation_tangents<TestType>(
                        ctx, slope, factor, which.of(), moved,
                        gated ? other.view() : backend::device_view<TestType const, 2>{}, moved.view());
                }
                of_factor = testing::to_host(ctx, other);
                return testing::to_host(ctx, moved);
            });
            auto const wide_z = in_double(z), wide_up = in_double(up), wide_dz = in_double(dz);
            buffer<double, 2> slope(z.extents()), factor(z.extents()), exact(dz.extents()), other = in_double(dup);
            backend::activation_slopes<double>(on_cpu, kind, wide_z,
                                               gated ? wide_up.view() : tensor::view<double const, 2>{}, slope.view(),
                                               factor.view());
            if (back) {
                backend::activation_cotangents<double>(on_cpu, slope, factor, which.of(), wide_dz,
                                                       gated ? other.view() : tensor::view<double, 2>{}, exact.view());
                require_near(of_factor, other);
            } else {
                auto const wide_dup = in_double(dup);
                backend::activation_tangents<double>(on_cpu, slope, factor, which.of(), wide_dz,
                                                     gated ? wide_dup.view() : tensor::view<double const, 2>{},
                                                     exact.view());
            }
            require_near(got, exact);
        }
    }
}

TEMPLATE_TEST_CASE("tangents of bounds on the device are the CPU's", "[cuda][tangents]", float, double) {
    followed const which;
    index const width = GENERATE(1, 65, 300), gap = GENERATE(0, 3);
    auto const x = random_buffer<TestType, 2>({3, width}, 1), dx = random_buffer<TestType, 2>({5, width}, 2);
    for (bool const clipped : {false, true}) {
        auto const got = in_every_order([&](backend::cuda_context const& ctx) {
            device_rows<TestType> values{ctx, x, gap}, moved{ctx, dx, gap};
            if (clipped) backend::clip_tangents<TestType>(ctx, values, TestType(0.5), which.of(), moved.view());
            else backend::cap_tangents<TestType>(ctx, values, TestType(4), which.of(), moved.view());
            return testing::to_host(ctx, moved);
        });
        auto exact = in_double(dx);
        if (clipped) backend::clip_tangents<double>(on_cpu, in_double(x), 0.5, which.of(), exact.view());
        else backend::cap_tangents<double>(on_cpu, in_double(x), 4, which.of(), exact.view());
        require_near(got, exact);
    }
}

/// Two tangents of every sequence, the second one held.
struct followed_parts {
    std::vector<part> parts;
    std::vector<index> rows;
    std::vector<std::uint8_t> held;

    explicit followed_parts(std::vector<part> const& values) {
        for (auto const& one : values) {
            for (std::uint8_t number = 0; number < 2; ++number) {
                auto again = one;
                again.first_row = std::ssize(rows);
                parts.push_back(again);
                for (index r = 0; r < one.rows; ++r) {
                    rows.push_back(one.first_row + r);
                    held.push_back(number);
                }
            }
        }
    }
    backend::tangents_of of() const { return {rows, held}; }
};

TEMPLATE_TEST_CASE("tangents and cotangents of attention on the device are the CPU's", "[cuda][attention_tangents]",
                   float, double) {
    index const prefix = GENERATE(0, 40), width = GENERATE(8, 20), gap = width == 8 ? 0 : 1;
    auto const parts = mixed_parts(prefix);
    followed_parts const which{parts};
    auto const count = std::ssize(which.rows);
    for (int const variant : {0, 1, 2}) {
        auto p = random_problem<TestType>(30, 4, 2, width, 7, prefix);
        if (variant == 1) p.shape.cap = TestType(0.7);
        if (variant == 2) p.shape.window = 3;
        auto tangents = random_problem<TestType>(count, 4, 2, width, 8);
        for (std::size_t i = 0; i < 2; ++i) {
            tangents.prefix_keys[i] = p.prefix_keys[i].clone();
            tangents.prefix_values[i] = p.prefix_values[i].clone();
        }
        auto const gz = random_buffer<TestType, 2>({count, 4 * width}, 9);
        auto const wide = widened(p), wide_tangents = widened(tangents);
        CAPTURE(prefix, gap, width, variant);

        auto const dz = in_every_order([&](backend::cuda_context const& ctx) {
            device_problem<TestType> own{ctx, p, parts, gap}, moved{ctx, tangents, which.parts, gap};
            device_rows<TestType> z{ctx, tangents.q, gap};
            backend::attention_tangents<TestType>(ctx, p.shape, {own.q, own.keys, own.values},
                                                  {moved.q, moved.keys, moved.values}, which.of(), moved.segments,
                                                  z.view());
            return testing::to_host(ctx, z);
        });
        buffer<double, 2> exact(tangents.q.extents());
        backend::attention_tangents<double>(on_cpu, wide.shape, {wide.q, wide.keys, wide.values},
                                            {wide_tangents.q, wide_tangents.keys, wide_tangents.values}, which.of(),
                                            host_segments(wide_tangents, which.parts), exact.view());
        require_near(dz, exact);

        auto const exact_gz = in_double(gz);
        buffer<double, 2> gq(tangents.q.extents()), gk(tangents.keys.extents()), gv(tangents.keys.extents());
        backend::attention_cotangents<double>(on_cpu, wide.shape, {wide.q, wide.keys, wide.values}, which.of(),
                                              host_segments(wide_tangents, which.parts), exact_gz,
                                              {gq.view(), gk.view(), gv.view()});
        for (int const of : {0, 1, 2}) {
            auto const got = in_every_order([&](backend::cuda_context const& ctx) {
                device_problem<TestType> own{ctx, p, parts, gap}, moved{ctx, tangents, which.parts, gap};
                device_rows<TestType> from{ctx, gz, gap};
                backend::attention_cotangents<TestType>(ctx, p.shape, {own.q, own.keys, own.values}, which.of(),
                                                        moved.segments, from,
                                                        {moved.q.view(), moved.keys.view(), moved.values.view()});
                return testing::to_host(ctx, of == 0 ? moved.q : of == 1 ? moved.keys : moved.values);
            });
            require_near(got, of == 0 ? gq : of == 1 ? gk : gv);
        }
    }
}

}  // namespace
