#pragma once
/// What the processor can do, measured between the measurements, with the vectors of a path of the CPU backend.

#include <atomic>

#include <plateau/backend/cpu/choose_instruction_set.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/tensor/buffer.hpp>

#include "timing.hpp"

namespace plateau::benchmarks {

namespace probe_portable {
#define PLATEAU_PROBE_TARGET [[gnu::noinline]]
typedef float vec __attribute__((vector_size(16)));
#include "probe.inl"
#undef PLATEAU_PROBE_TARGET
}  // namespace probe_portable

#if defined(__x86_64__)
namespace probe_avx2 {
#define PLATEAU_PROBE_TARGET __attribute__((noinline, target("avx2,fma")))
typedef float vec __attribute__((vector_size(32)));
#include "probe.inl"
#undef PLATEAU_PROBE_TARGET
}  // namespace probe_avx2

namespace probe_avx512 {
#define PLATEAU_PROBE_TARGET __attribute__((noinline, target("avx512f,fma")))
typedef float vec __attribute__((vector_size(64)));
#include "probe.inl"

/// As multiply_adds, with the dot products of bfloat16: two of them per lane and instruction.
PLATEAU_PROBE_TARGET inline float bf16_dots(index rounds) {
    vec c0{}, c1{}, c2{}, c3{}, c4{}, c5{}, c6{}, c7{}, c8{}, c9{}, c10{}, c11{}, a = 1.0f - vec{};
    for (index i = 0; i < rounds; ++i) {
#define PLATEAU_DOT(c) asm volatile("vdpbf16ps %1, %1, %0" : "+v"(c) : "v"(a))
        PLATEAU_DOT(c0);
        PLATEAU_DOT(c1);
        PLATEAU_DOT(c2);
        PLATEAU_DOT(c3);
        PLATEAU_DOT(c4);
        PLATEAU_DOT(c5);
        PLATEAU_DOT(c6);
        PLATEAU_DOT(c7);
        PLATEAU_DOT(c8);
        PLATEAU_DOT(c9);
        PLATEAU_DOT(c10);
        PLATEAU_DOT(c11);
#undef PLATEAU_DOT
    }
    vec const sum = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;
    return sum[0];
}
#undef PLATEAU_PROBE_TARGET
}  // namespace probe_avx512
#endif

/// Whether the kernels of a path are written in vectors: of 256 bits in AVX2, else of 512.
constexpr bool has_vectors(backend::instruction_set path) {
    return path != backend::instruction_set::portable && path != backend::instruction_set::amx_emulated;
}

/// Float operations per second of one thread in multiply-adds that wait for nothing; 0 for the portable path. Takes
/// about 2 ms.
inline double peak_flops(backend::instruction_set path) {
#if defined(__x86_64__)
    constexpr index rounds = 400'000;
    float volatile sink = 0;
    if (path == backend::instruction_set::avx2) {
        return 2.0 * 8 * 12 * rounds / seconds([&] { sink = probe_avx2::multiply_adds(rounds); });
    }
    if (has_vectors(path)) {
        return 2.0 * 16 * 12 * rounds / seconds([&] { sink = probe_avx512::multiply_adds(rounds); });
    }
#endif
    static_cast<void>(path);
    return 0;
}

/// The sum over `threads` threads at once: cores may share what they compute with, and slow down together.
inline double peak_flops(backend::instruction_set path, int threads) {
    std::vector<double> each(static_cast<std::size_t>(threads));
    std::atomic<int> here{0};
    parallel_for(threads, threads, [&](index i, int) {
        ++here;
        for (index spin = 0; here.load() < threads && spin < 100'000'000; ++spin) {}  // all start together
        each[static_cast<std::size_t>(i)] = peak_flops(path);
    });
    double sum = 0;
    for (double one : each) sum += one;
    return sum;
}

/// Multiply-adds per second in dot products of bfloat16, over those in float; 0 where the processor has none. Takes
/// about 10 ms.
inline double bf16_dots_over_multiply_adds() {
#if defined(__x86_64__)
    if (backend::widest_instruction_set() < backend::instruction_set::avx512_bf16) return 0;
    constexpr index rounds = 400'000;
    float volatile sink = 0;
    double const dots = 2.0 * 32 * 12 * rounds / seconds([&] { sink = probe_avx512::bf16_dots(rounds); });
    return dots / peak_flops(backend::instruction_set::avx512);
#else
    return 0;
#endif
}

/// Bytes per second of one thread to and from memory of a footprint, so of the cache that holds it.
class bandwidth_probe {
public:
    /// @param bytes  footprint, at least 2 KiB
    bandwidth_probe(backend::instruction_set path, index bytes) : path_{path}, memory_({bytes / 4}) {
        for (index i = 0; i < memory_.size(); ++i) memory_[i] = static_cast<float>(i % 1000) - 500.0f;
        repeats_ = std::max<index>(1, (index{1} << 24) / bytes);
    }

    /// Half of the footprint is copied to the other half; bytes read and bytes written count.
    double copy() {
        index const half = memory_.size() / 2;
        return run([&] {
            float const* const from = memory_.data();
            float* const to = memory_.data() + half;
#if defined(__x86_64__)
            if (path_ == backend::instruction_set::avx2) return probe_avx2::copy(from, to, half);
            if (has_vectors(path_)) return probe_avx512::copy(from, to, half);
#endif
            probe_portable::copy(from, to, half);
        });
    }

    /// The whole footprint is read.
    double read() {
        float volatile sink = 0;
        return run([&] {
#if defined(__x86_64__)
            if (path_ == backend::instruction_set::avx2) {
                sink = probe_avx2::read(memory_.data(), memory_.size());
                return;
            }
            if (has_vectors(path_)) {
                sink = probe_avx512::read(memory_.data(), memory_.size());
                return;
            }
#endif
            sink = probe_portable::read(memory_.data(), memory_.size());
        });
    }

private:
    template <class F>
    double run(F&& pass) {
        pass();
        return static_cast<double>(memory_.size() * 4) / seconds_per_call(repeats_, pass);
    }

    backend::instruction_set path_;
    index repeats_ = 1;
    tensor::buffer<float, 1> memory_;
};

}  // namespace plateau::benchmarks
