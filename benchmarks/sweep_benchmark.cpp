// The engine from end to end on random models of full depth, prefixes included.
// Counters: points/s, and of_floor = the time that its matrix products, prefixes and attention included, would take at
// the peak of multiply-adds of all threads, over the time that it took.

#include <plateau/core/core_affinity.hpp>

#include "against_probe.hpp"
#include "probe.hpp"
#include "sweep_run.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::core_affinity;
using plateau::index;

/// The engine of a shape; one at a time is kept.
template <class Stored>
random_engine const& engine_of(model_shape const& shape, int threads) {
    static std::string name;
    static std::unique_ptr<random_engine const> engine;
    if (!engine || name != shape.name || engine->threads() != threads) {
        engine.reset();
        engine = make_random_engine<Stored>(shape, threads);
        name = shape.name;
    }
    return *engine;
}

/// Arguments: pairs, points of each, tokens T of a prompt, threads.
template <class Stored>
void sweep(benchmark::State& state, model_shape const& shape) {
    sweep_task const task{shape, state.range(0), state.range(1), state.range(2)};
    auto const threads = static_cast<int>(state.range(3));
    core_affinity const held{threads};
    auto const& engine = engine_of<Stored>(shape, threads);
    auto const prompts = random_prompts(task.pairs + 1, task.length);
    double const flops = task.row_flops() + task.prefix_flops() + task.attention_flops();
    run_sweep(engine, prompts, {shape, 1, 50, task.length});  // memory that is kept from run to run
    std::vector<double> points, fractions;
    for (auto _ : state) {
        double const before = peak_flops(engine.context().path(), threads);
        auto const times = run_sweep(engine, prompts, task);
        double const peak = 0.5 * (before + peak_flops(engine.context().path(), threads)),
                     time = times.prefix + times.rows;
        state.SetIterationTime(time);
        points.push_back(static_cast<double>(task.rows()) / time);
        fractions.push_back(peak > 0 ? flops / peak / time : 0);
    }
    state.counters["points/s"] = median(points);
    state.counters["of_floor"] = median(fractions);
}

void tasks(benchmark::internal::Benchmark* b) {
    for (index threads : {1, 2}) {
        for (index pairs : {1, 20, 200}) b->Args({pairs, 50, 10, threads});
    }
    for (index tokens : {10, 64, 256, 512, 1024}) b->Args({2, 1000, tokens, 2});
    b->ArgNames({"pairs", "points", "tokens", "threads"})
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(3);
}

void sweep_fp32(benchmark::State& state, model_shape const& shape) { sweep<float>(state, shape); }
void sweep_bf16(benchmark::State& state, model_shape const& shape) { sweep<plateau::bfloat16>(state, shape); }

BENCHMARK_CAPTURE(sweep_fp32, smollm2, smollm2)->Apply(tasks);
BENCHMARK_CAPTURE(sweep_fp32, gpt2, gpt2)->Apply(tasks);
BENCHMARK_CAPTURE(sweep_bf16, smollm2, smollm2)->Apply(tasks);
BENCHMARK_CAPTURE(sweep_bf16, gpt2, gpt2)->Apply(tasks);

}  // namespace
