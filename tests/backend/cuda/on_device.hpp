#pragma once
/// What the tests of the CUDA backend share: results under many orders of threads, and what they are compared with.
/// PLATEAU_CUDA_ON_CPU is 1 in the program that runs them over the emulation of CUDA, and 0 in that for a device.

#include <cmath>
#include <limits>

#include <plateau/backend/cpu.hpp>
#include <plateau/backend/cuda/buffer.hpp>

#include "support/catch.hpp"
#if PLATEAU_CUDA_ON_CPU
#include "support/cuda_on_cpu/block.hpp"
#endif
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace plateau::testing {

inline backend::cpu_context const on_cpu{1, backend::instruction_set::portable};

/// What a device does in its own way: a product and a sum may become one operation with one rounding (nvcc's -fmad),
/// and inputs of TF32 products may be cut off instead of rounded.
inline constexpr bool rounds_each_operation = PLATEAU_CUDA_ON_CPU;
inline constexpr double tf32_rounding = PLATEAU_CUDA_ON_CPU ? 0x1p-11 : 0x1p-10;

/// The order of threads and blocks, and the values of memory that nobody wrote; a device has its own.
inline void set_order([[maybe_unused]] std::uint64_t seed) {
#if PLATEAU_CUDA_ON_CPU
    cuda_on_cpu::set_seed(seed);
#endif
}

/// `compute(ctx)` under several orders of threads and blocks, and several values of memory that nobody wrote: the bits
/// have to be the same every time. @return the result, a host buffer
template <class F>
auto in_every_order(F const& compute) {
    backend::cuda_context const ctx;
    set_order(0);
    auto const first = compute(ctx);
    for (std::uint64_t seed = 1; seed < 3; ++seed) {
        set_order(seed);
        auto const again = compute(ctx);
        CAPTURE(seed);
        REQUIRE(again.extents() == first.extents());
        REQUIRE(same_bits(again.data(), first.data(), first.size()));
    }
    return first.clone();
}

/// The same numbers in double.
template <class T, std::size_t Rank>
tensor::buffer<double, Rank> in_double(tensor::buffer<T, Rank> const& x) {
    tensor::buffer<double, Rank> wide(x.extents());
    for (index i = 0; i < x.size(); ++i) wide.data()[i] = static_cast<double>(x.data()[i]);
    return wide;
}

/// The same bits; where operations need not be rounded each, within a rounding of a result of that size or of
/// `magnitude`.
template <class T>
void require_same_steps(tensor::view<T const, 2> a, std::type_identity_t<tensor::view<T const, 2>> b,
                        double magnitude) {
    REQUIRE(a.extents() == b.extents());
    if constexpr (rounds_each_operation) {
        CHECK(same_rows(a, b));
    } else {
        for (index r = 0; r < a.extent(0); ++r) {
            for (index i = 0; i < a.extent(1); ++i) {
                double const x = static_cast<double>(a(r, i)), y = static_cast<double>(b(r, i));
                if (!(std::abs(x - y) <= rounding_tolerance<T>(std::fmax(std::abs(y), magnitude)))) {
                    CAPTURE(r, i, x, y);
                    FAIL("more than a rounding apart");
                }
            }
        }
    }
}

/// Every element within tolerance(i) of `expected`.
template <class T, std::size_t Rank, class Tolerance>
void require_close(tensor::buffer<T, Rank> const& actual, tensor::buffer<double, Rank> const& expected,
                   Tolerance const& tolerance) {
    REQUIRE(actual.extents() == expected.extents());
    for (index i = 0; i < actual.size(); ++i) {
        double const value = static_cast<double>(actual.data()[i]), wanted = expected.data()[i];
        if (!(std::abs(value - wanted) <= tolerance(i))) {
            CAPTURE(i, value, wanted, tolerance(i));
            FAIL("too far apart");
        }
    }
}

/// Both the result of the device and that of the CPU backend lie within a few roundings of the same in double.
template <class T, std::size_t Rank>
void require_rounded(tensor::buffer<T, Rank> const& device, tensor::buffer<T, Rank> const& cpu,
                     tensor::buffer<double, Rank> const& exact) {
    auto const tolerance = [&](index i) { return rounding_tolerance<T>(exact.data()[i]); };
    require_close(device, exact, tolerance);
    require_close(cpu, exact, tolerance);
}

/// A matrix on the device whose rows have `gap` elements between them that nobody may touch; nothing comes after the
/// last one.
template <class T>
struct device_rows {
    std::array<index, 2> extents;
    index stride;
    backend::device_buffer<T, 1> all;

    device_rows(backend::cuda_context const& ctx, tensor::buffer<T, 2> const& x, index gap)
        : extents{x.extents()}, stride{x.extent(1) + gap}, all{ctx, {0}} {
        tensor::buffer<T, 1> wide({extents[0] == 0 ? 0 : (extents[0] - 1) * stride + extents[1]});
        for (T& value : wide.flat()) value = std::numeric_limits<T>::quiet_NaN();
        for (index r = 0; r < extents[0]; ++r) std::copy_n(x[r].data(), extents[1], wide.data() + r * stride);
        all = backend::to_device(ctx, wide);
    }
    backend::device_view<T, 2> view() { return {all.view().data(), extents, {stride, 1}}; }
    operator backend::device_view<T, 2>() { return view(); }
    operator backend::device_view<T const, 2>() { return view(); }
};

/// The rows without their gaps, on the host.
template <class T>
tensor::buffer<T, 2> to_host(backend::cuda_context const& ctx, device_rows<T>& x) {
    auto const wide = backend::to_host(ctx, x.all);
    tensor::buffer<T, 2> rows(x.extents);
    for (index i = 0; i < wide.size(); ++i) {
        if (i % x.stride < x.extents[1]) rows(i / x.stride, i % x.stride) = wide(i);
        else if (!std::isnan(wide(i))) FAIL("something was written after the end of a row");
    }
    return rows;
}

}  // namespace plateau::testing
