// Matrix products behind the `linear` seam on one thread, against the peak of multiply-adds measured in between.
// Counters: FLOP/s, and of_peak = that over the peak in float of the path's vectors.
// PLATEAU_INSTRUCTION_SET chooses the path. Beside other libraries: the program `ratios`.

#include "against_probe.hpp"
#include "probe.hpp"
#include "random_model.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::bfloat16;
using plateau::index;

context const ctx{1};

/// Arguments: rows M, outputs N, inputs K.
template <class Stored>
void linear(benchmark::State& state) {
    using T = std::conditional_t<std::is_same_v<Stored, double>, double, float>;
    index const m = state.range(0), n = state.range(1), k = state.range(2);
    plateau::backend::linear_weight<T> const weight{random_values<Stored, 2>({n, k}, 1)};
    auto const x = random_values<T, 2>({m, k}, 2);
    plateau::tensor::buffer<T, 2> y({m, n});
    auto const rate = against_probe(
        state, 2.0 * static_cast<double>(m * n * k), [&] { plateau::backend::linear<T>(ctx, x, weight, y); },
        [] { return peak_flops(ctx.path()); });
    state.counters["FLOP/s"] = per_second(rate.reached);
    state.counters["of_peak"] = rate.fraction;
}

void shapes(benchmark::internal::Benchmark* b) {
    for (index m : {1, 11, 50, 252, 1024}) {
        for (auto const& model : {smollm2, gpt2, qwen2, olmo}) {
            for (auto const& [n, k] : matrices_of(model)) b->Args({m, n, k});
        }
    }
    b->ArgNames({"rows", "outputs", "inputs"})
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(benchmark_rounds);
}

BENCHMARK(linear<float>)->Apply(shapes);
BENCHMARK(linear<bfloat16>)->Apply(shapes);
BENCHMARK(linear<double>)
    ->Args({252, 576, 576})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(benchmark_rounds);

}  // namespace
