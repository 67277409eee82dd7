// Matrix products behind the `linear` seam on one thread, against the peak of multiply-adds measured in between.
// Counters: FLOP/s, and of_peak = that over the peak in float of the path's vectors.
// PLATEAU_INSTRUCTION_SET chooses the path.

#include <benchmark/benchmark.h>

#include <Eigen/Core>

#include <plateau/backend/cpu/linear.hpp>
#include <plateau/core/rng.hpp>

#include "probe.hpp"

namespace {

namespace backend = plateau::backend;
using plateau::bfloat16;
using plateau::index;
using plateau::benchmarks::peak_flops;
using plateau::benchmarks::seconds;

backend::cpu_context const ctx{1};

template <class T>
plateau::tensor::buffer<T, 2> random_matrix(index rows, index columns, std::uint64_t seed) {
    plateau::tensor::buffer<T, 2> matrix({rows, columns});
    plateau::counter_rng rng{seed};
    for (T& value : matrix.flat()) value = static_cast<T>(static_cast<float>(rng.uniform() - 0.5));
    return matrix;
}

/// Runs a product of m·n·k multiply-adds; every iteration is timed between two looks at the peak.
template <class Product>
void measure(benchmark::State& state, Product&& product) {
    double const flops = 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2));
    index const repeats = std::max<index>(1, static_cast<index>(1e9 / flops));
    double spent = 0, peak = 0, rounds = 0;
    product();
    for (auto _ : state) {
        peak += peak_flops(ctx.path());
        double const time = seconds([&] {
            for (index i = 0; i < repeats; ++i) product();
        });
        state.SetIterationTime(time);
        spent += time;
        ++rounds;
    }
    double const reached = flops * static_cast<double>(repeats) * rounds / spent;
    state.counters["FLOP/s"] = benchmark::Counter(reached, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
    state.counters["of_peak"] = peak > 0 ? reached / (peak / rounds) : 0;
}

/// Arguments: rows M, outputs N, inputs K.
template <class Stored>
void linear(benchmark::State& state) {
    using T = std::conditional_t<std::is_same_v<Stored, double>, double, float>;
    index const m = state.range(0), n = state.range(1), k = state.range(2);
    backend::linear_weight<T> const weight{random_matrix<Stored>(n, k, 1)};
    auto const x = random_matrix<T>(m, k, 2);
    plateau::tensor::buffer<T, 2> y({m, n});
    measure(state, [&] {
        backend::linear<T>(ctx, x, weight, y);
        benchmark::DoNotOptimize(y.data());
    });
}

/// The same by Eigen, with the instructions that this program was compiled for.
void eigen(benchmark::State& state) {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    index const m = state.range(0), n = state.range(1), k = state.range(2);
    matrix const w = matrix::Random(n, k), x = matrix::Random(m, k);
    matrix y(m, n);
    measure(state, [&] {
        y.noalias() = x * w.transpose();
        benchmark::DoNotOptimize(y.data());
    });
}

void shapes(benchmark::internal::Benchmark* b) {
    for (index m : {1, 11, 50, 252, 1024}) {
        b->Args({m, 576, 576});     // SmolLM2: q, o
        b->Args({m, 1536, 576});    // SmolLM2: gate, up
        b->Args({m, 576, 1536});    // SmolLM2: down
        b->Args({m, 768, 768});     // GPT-2: q, k, v, o
        b->Args({m, 3072, 768});    // GPT-2: in
        b->Args({m, 768, 3072});    // GPT-2: out
        b->Args({m, 4864, 896});    // Qwen2-0.5B: gate, up
        b->Args({m, 8192, 2048});   // OLMo-1B: gate, up
    }
    b->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(0.1);
}

BENCHMARK(linear<float>)->Apply(shapes);
BENCHMARK(linear<bfloat16>)->Apply(shapes);
BENCHMARK(eigen)->Apply(shapes);
BENCHMARK(linear<double>)->Args({252, 576, 576})->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
