#pragma once
/// What the processor can do, measured between the measurements: machines are shared, only ratios of one run count.

#include <chrono>
#include <cstdint>

#include <plateau/backend/cpu/instruction_set.hpp>
#include <plateau/core/types.hpp>

namespace plateau::benchmarks {

/// Seconds that a call takes.
template <class F>
double seconds(F&& call) {
    auto const start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

#if defined(__x86_64__)
#define PLATEAU_PROBE(bytes)                                                                                    \
    typedef float vec __attribute__((vector_size(bytes)));                                                      \
    [[gnu::noinline]] inline float multiply_adds(index rounds) {                                                \
        vec const one = 1.0f - vec{};                                                            \
        vec c0 = 0.0f * one, c1 = 1.0f * one, c2 = 2.0f * one, c3 = 3.0f * one, c4 = 4.0f * one, c5 = 5.0f * one;          \
        vec c6 = 6.0f * one, c7 = 7.0f * one, c8 = 8.0f * one, c9 = 9.0f * one, c10 = 10.0f * one, c11 = 11.0f * one;          \
        vec a = 0.999f - vec{}, b = 0.5f - vec{};                                                               \
        for (index i = 0; i < rounds; ++i) {                                                                    \
            c0 = c0 * a + b, c1 = c1 * a + b, c2 = c2 * a + b, c3 = c3 * a + b, c4 = c4 * a + b, c5 = c5 * a + b; \
            c6 = c6 * a + b, c7 = c7 * a + b, c8 = c8 * a + b, c9 = c9 * a + b, c10 = c10 * a + b,              \
            c11 = c11 * a + b;                                                                                  \
            asm volatile("" : "+x"(a));                                                                         \
        }                                                                                                       \
        vec const sum = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;                            \
        return sum[0];                                                                                          \
    }

namespace probe_avx2 {
#pragma GCC push_options
#pragma GCC target("avx2,fma")
PLATEAU_PROBE(32)
#pragma GCC pop_options
}  // namespace probe_avx2
namespace probe_avx512 {
#pragma GCC push_options
#pragma GCC target("avx512f,fma")
PLATEAU_PROBE(64)
#pragma GCC pop_options
}  // namespace probe_avx512
#undef PLATEAU_PROBE
#endif

/// Float operations per second of one thread in multiply-adds that wait for nothing, with the vectors of a path; 0 for the
/// portable one. Takes about 2 ms.
inline double peak_flops(backend::instruction_set path) {
#if defined(__x86_64__)
    constexpr index rounds = 400'000;
    volatile float sink = 0;
    if (path == backend::instruction_set::avx2) {
        return 2.0 * 8 * 12 * rounds / seconds([&] { sink = probe_avx2::multiply_adds(rounds); });
    }
    if (path != backend::instruction_set::portable) {
        return 2.0 * 16 * 12 * rounds / seconds([&] { sink = probe_avx512::multiply_adds(rounds); });
    }
#endif
    static_cast<void>(path);
    return 0;
}

}  // namespace plateau::benchmarks
