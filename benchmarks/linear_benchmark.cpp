// Matrix products behind the `linear` seam, in the shapes of SmolLM2-135M and GPT-2 small. Reports FLOP/s.

#include <benchmark/benchmark.h>

#include <plateau/backend/cpu/linear.hpp>
#include <plateau/core/rng.hpp>

namespace {

namespace backend = plateau::backend;
using plateau::index;

template <class T>
plateau::tensor::buffer<T, 2> random_matrix(index rows, index columns, std::uint64_t seed) {
    plateau::tensor::buffer<T, 2> matrix({rows, columns});
    plateau::counter_rng rng{seed};
    for (T& value : matrix.flat()) value = static_cast<T>(rng.uniform() - 0.5);
    return matrix;
}

/// Arguments: rows M, outputs N, inputs K.
template <class T>
void linear(benchmark::State& state) {
    index const m = state.range(0), n = state.range(1), k = state.range(2);
    backend::cpu_context const ctx{1};
    backend::linear_weight<T> const weight{random_matrix<T>(n, k, 1)};
    auto const x = random_matrix<T>(m, k, 2);
    plateau::tensor::buffer<T, 2> y({m, n});
    for (auto _ : state) {
        backend::linear<T>(ctx, x, weight, y);
        benchmark::DoNotOptimize(y.data());
    }
    state.counters["FLOP/s"] = benchmark::Counter(2.0 * static_cast<double>(m * n * k), benchmark::Counter::kIsIterationInvariantRate,
                                                  benchmark::Counter::kIs1000);
}

void shapes(benchmark::internal::Benchmark* b) {
    for (index m : {11, 50, 256, 1024}) {
        b->Args({m, 576, 576});     // SmolLM2: q, o
        b->Args({m, 1536, 576});    // SmolLM2: gate, up
        b->Args({m, 576, 1536});    // SmolLM2: down
        b->Args({m, 3072, 768});    // GPT-2: in
    }
}

BENCHMARK(linear<float>)->Apply(shapes);
BENCHMARK(linear<double>)->Apply(shapes);

}  // namespace
