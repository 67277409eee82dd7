#include <plateau/backend/cuda.hpp>

#include <plateau/core/parallel.hpp>

#include "backend/cuda/on_device.hpp"

#if PLATEAU_CUDA_ON_CPU
#include <cuda_runtime.h>
#endif

namespace {

using namespace plateau;
using namespace plateau::testing;
using backend::cuda_context;
using backend::device_weight;
using backend::float_products;
using plateau::index;
using tensor::buffer;
using tensor::view;

struct extents {
    index outputs, inputs;
};
std::vector<extents> const layer_extents{{1, 1}, {7, 32}, {63, 5}, {64, 129}, {130, 33}, {200, 65}};

template <class S>
buffer<S, 2> random_values(std::array<index, 2> shape) {
    if constexpr (std::is_same_v<S, bfloat16>) return in_bfloat16(random_buffer<float, 2>(shape, 1));
    else return random_buffer<S, 2>(shape, 1);
}

/// All cells, with the padding.
template <class S>
buffer<S, 2> cells(cuda_context const& ctx, backend::device_view<S const, 2> memory) {
    buffer<S, 2> all(memory.extents());
    backend::download<S>(ctx, memory, all);
    return all;
}

template <class T, class S>
buffer<S, 2> cells(cuda_context const& ctx, device_weight<T> const& weight) {
    if constexpr (std::is_same_v<S, bfloat16>) return cells<S>(ctx, weight.rounded());
    else return cells<S>(ctx, weight.full());
}

template <class S>
bool is_zero(S value) {
    return same_bits(value, S{});
}

template <class S>
void require_cells(buffer<S, 2> const& cells, buffer<S, 2> const& values) {
    REQUIRE(cells.extents() == std::array{values.extent(0) + 7, (values.extent(1) + 7) / 8 * 8});
    for (index n = 0; n < cells.extent(0); ++n) {
        for (index k = 0; k < cells.extent(1); ++k) {
            bool const there = n < values.extent(0) && k < values.extent(1);
            if (!(there ? same_bits(cells(n, k), values(n, k)) : is_zero(cells(n, k)))) {
                CAPTURE(n, k);
                FAIL("a wrong cell");
            }
        }
    }
}

struct full_float {
    using weight = float;
    using value = float;
};
struct rounded_float {
    using weight = float;
    using value = bfloat16;
};
struct full_double {
    using weight = double;
    using value = double;
};

TEMPLATE_TEST_CASE("a weight on the device is written in pieces of outputs or of inputs, by many threads",
                   "[cuda][weight]", full_float, rounded_float, full_double) {
    using T = typename TestType::weight;
    using S = typename TestType::value;
    using writer_type = backend::device_weight_writer<T>;
    int const threads = GENERATE(1, 3);
    cuda_context const ctx;
    for (auto const& e : layer_extents) {
        CAPTURE(e.outputs, e.inputs, threads);
        auto const values = random_values<S>({e.outputs, e.inputs});
        buffer<S, 2> turned({e.inputs, e.outputs + 5});  // with something beside it
        for (index k = 0; k < e.inputs; ++k) {
            for (index n = 0; n < e.outputs; ++n) turned(k, n + 2) = values(n, k);
        }
        for (bool const by_inputs : {false, true}) {
            device_weight<T> first{ctx, e.outputs, e.inputs, dtype_of<S>};
            CHECK((first.outputs() == e.outputs && first.inputs() == e.inputs &&
                   first.is_bf16() == std::is_same_v<S, bfloat16>));
            auto const writer = first.writer();
            device_weight<T> const moved = std::move(first);
            index const step = by_inputs ? writer_type::input_step : writer_type::output_step,
                        all = by_inputs ? e.inputs : e.outputs;
            parallel_for(threads, (all + step - 1) / step, [&](index piece, int) {
                index const at = piece * step, count = std::min(step, all - at);
                if (by_inputs)
                    writer.inputs(at, view<S const, 2>{&turned(at, 2), {count, e.outputs}, {e.outputs + 5, 1}});
                else writer.outputs(at, values.view().rows(at, count));
            });
            require_cells(cells<T, S>(ctx, moved), values);
        }
    }
}

TEST_CASE("a weight is larger than the pieces on its way", "[cuda][weight]") {
    cuda_context const ctx;
    auto const values = random_buffer<float, 2>({700, 1501}, 1);
    buffer<float, 2> turned({1501, 700});
    for (index n = 0; n < 700; ++n) {
        for (index k = 0; k < 1501; ++k) turned(k, n) = values(n, k);
    }
    device_weight<float> at_once{ctx, values}, by_outputs{ctx, 700, 1501, dtype::f32},
        by_inputs{ctx, 700, 1501, dtype::f32};
    by_inputs.writer().inputs(0, turned);
    // more than there is pinned memory: it is used again, which the host may not before the device has read it
    for (index n = 0; n < 700; n += 64)
        by_outputs.writer().outputs(n, values.view().rows(n, std::min<index>(64, 700 - n)));
    require_cells(cells<float, float>(ctx, at_once), values);
    require_cells(cells<float, float>(ctx, by_outputs), values);
    require_cells(cells<float, float>(ctx, by_inputs), values);
}

TEST_CASE("for products of three bfloat16 a weight has its two parts", "[cuda][weight]") {
    int const threads = GENERATE(1, 3);
    for (auto const& e : layer_extents) {
        auto values = random_buffer<float, 2>({e.outputs, e.inputs}, 1);
        values(0, 0) = 1 + 0x1p-8f + 0x1p-20f;
        for (bool const by_inputs : {false, true}) {
            CAPTURE(e.outputs, e.inputs, threads, by_inputs);
            index const step = by_inputs ? 8 : 64, all = by_inputs ? e.inputs : e.outputs,
                        half = (e.inputs + 7) / 8 * 8;
            auto const parts = in_every_order([&](cuda_context const&) {
                cuda_context const ctx{float_products::bf16x3};
                device_weight<float> weight{ctx, e.outputs, e.inputs, dtype::f32};
                REQUIRE(weight.is_split());
                parallel_for(threads, (all + step - 1) / step, [&](index piece, int) {
                    index const at = piece * step, count = std::min(step, all - at);
                    if (!by_inputs) return weight.writer().outputs(at, values.view().rows(at, count));
                    buffer<float, 2> turned({count, e.outputs});
                    for (index k = 0; k < count; ++k) {
                        for (index n = 0; n < e.outputs; ++n) turned(k, n) = values(n, at + k);
                    }
                    weight.writer().inputs(at, turned);
                });
                require_cells(cells<float, float>(ctx, weight), values);
                return cells<bfloat16>(ctx, weight.split());
            });
            REQUIRE(parts.extents() == std::array{e.outputs + 7, 2 * half});
            for (index n = 0; n < e.outputs + 7; ++n) {
                for (index k = 0; k < half; ++k) {
                    float const value = n < e.outputs && k < e.inputs ? values(n, k) : 0;
                    bfloat16 const high{value}, low{value - static_cast<float>(high)};
                    if (!same_bits(parts(n, k), high) || !same_bits(parts(n, half + k), low)) {
                        CAPTURE(n, k);
                        FAIL("a wrong part");
                    }
                }
            }
        }
    }
    cuda_context const split{float_products::bf16x3}, plain;
    CHECK_FALSE(device_weight<float>{plain, 3, 4, dtype::f32}.is_split());
    CHECK_FALSE(device_weight<float>{split, 3, 4, dtype::bf16}.is_split());
    CHECK_FALSE(device_weight<double>{split, 3, 4, dtype::f64}.is_split());
}

TEST_CASE("parts in bfloat16 are the host's rounding, and finite where it is not", "[cuda][weight]") {
    buffer<float, 2> values({1, 1000});
    counter_rng rng{1};
    for (float& value : values.flat()) value = std::bit_cast<float>(static_cast<std::uint32_t>(rng.next()));
    values(0, 0) = std::numeric_limits<float>::quiet_NaN();
    values(0, 1) = std::bit_cast<float>(0x7F800001u);
    values(0, 2) = std::bit_cast<float>(0x3F808000u);
    values(0, 3) = std::bit_cast<float>(0x3F818000u);
    values(0, 4) = std::numeric_limits<float>::infinity();
    values(0, 5) = std::numeric_limits<float>::max();
    values(0, 6) = -std::numeric_limits<float>::max();
    values(0, 7) = -std::numeric_limits<float>::infinity();
    values(0, 8) = std::bit_cast<float>(0x7F7F8000u);  // the first that would be infinite
    values(0, 9) = std::bit_cast<float>(0xFF7F7FFFu);  // and the last that would not
    auto const parts = in_every_order([&](cuda_context const& ctx) {
        auto const x = backend::to_device(ctx, values);
        backend::device_buffer<bfloat16, 2> both{ctx, {2, 1000}};
        backend::split_to_bf16<float>(ctx, x, both.view().rows(0, 1), both.view().rows(1, 1));
        return backend::to_host(ctx, both);
    });
    for (index i = 0; i < 1000; ++i) {
        float const value = values(0, i), high = static_cast<float>(parts(0, i)), low = static_cast<float>(parts(1, i));
        CAPTURE(i, value, high, low);
        bfloat16 const nearest{value};
        if (std::isinf(value)) {
            REQUIRE(high == std::copysign(1.0f, value));
            REQUIRE(low == value);
        } else if (!std::isinf(static_cast<float>(nearest))) REQUIRE(same_bits(parts(0, i), nearest));
        if (!std::isfinite(value)) continue;
        REQUIRE(std::isfinite(high + low));
        double const missed = static_cast<double>(value) - static_cast<double>(high) - static_cast<double>(low);
        REQUIRE(std::abs(missed) <= 0x1p-16 * std::abs(static_cast<double>(value)) + 0x1p-134);
    }
}

TEST_CASE("values that do not fit a weight are refused", "[cuda][weight]") {
    cuda_context const ctx;
    device_weight<float> weight{ctx, 10, 6, dtype::f32}, half{ctx, 10, 6, dtype::bf16};
    device_weight<float> const none;
    CHECK(none.outputs() == 0);
    CHECK(none.inputs() == 0);
    buffer<float, 2> const wide({4, 7}), narrow({4, 6}), turned({6, 10});
    buffer<bfloat16, 2> const rounded({4, 6});
    auto const writer = weight.writer();
    CHECK_NOTHROW(writer.outputs(6, narrow));
    CHECK_NOTHROW(writer.inputs(0, turned));
    CHECK_THROWS_AS(writer.outputs(0, wide), shape_error);
    CHECK_THROWS_AS(writer.outputs(7, narrow), shape_error);
    CHECK_THROWS_AS(writer.inputs(0, narrow), shape_error);
    CHECK_THROWS_AS(writer.inputs(1, turned), shape_error);
    CHECK_THROWS_WITH(writer.outputs(0, rounded),
                      "values of shape [4, 6] and type bf16 do not fit into a weight of shape [10, 6]");
    CHECK_THROWS_AS(half.writer().outputs(0, narrow), shape_error);
    CHECK_NOTHROW(half.writer().outputs(0, rounded));
    CHECK_THROWS_AS((device_weight<float>{ctx, -1, 6, dtype::f32}), shape_error);
    CHECK_THROWS_AS((device_weight<float>{ctx, 6, index{1} << 60, dtype::f32}), shape_error);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<device_weight<double>, cuda_context const&, buffer<bfloat16, 2>>);
}

#if PLATEAU_CUDA_ON_CPU
TEST_CASE("a weight is released with its context, whatever was on its way", "[cuda][weight]") {
    auto const before = cuda_on_cpu::allocations();
    {
        cuda_context const ctx{float_products::bf16x3};
        device_weight<float> a{ctx, random_buffer<float, 2>({20, 30}, 1)}, b{ctx, 4, 5, dtype::f32};
        a = std::move(b);
        CHECK(a.outputs() == 4);
    }
    CHECK(cuda_on_cpu::allocations() == before);
}
#endif

}  // namespace
