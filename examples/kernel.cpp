// One operation of a backend under Google Benchmark, beside the floor: multiply-adds per second of a matrix product.
//
//     kernel [--benchmark_filter=...]
//
// -> linear/252/576/1536
// -> multiply_adds

#include <benchmark/benchmark.h>

#include <plateau/backend/cpu.hpp>

namespace {

namespace backend = plateau::backend;
using plateau::index;

void linear(benchmark::State& state) {
    backend::cpu_context const cpu{1};
    index const rows = state.range(0), inputs = state.range(1), outputs = state.range(2);
    plateau::tensor::buffer<float, 2> x({rows, inputs}), w({outputs, inputs}), y({rows, outputs});
    for (index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) - 3;
    for (index i = 0; i < w.size(); ++i) w.data()[i] = static_cast<float>(i % 5) - 2;
    backend::linear_weight<float> const weight{w};
    for (auto _ : state) {
        backend::linear<float>(cpu, x, {weight}, y.view());
        benchmark::DoNotOptimize(y.data());
    }
    state.counters["multiply_adds"] =
        benchmark::Counter(static_cast<double>(rows * inputs * outputs) * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}
BENCHMARK(linear)->Args({252, 576, 1536})->Args({6, 576, 1536});

}  // namespace

BENCHMARK_MAIN();
