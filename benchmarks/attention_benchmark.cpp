// Attention of patched rows: 252 rows of one position each after a prompt of T tokens, all with the same prefix of T -
// 1 positions, on one thread. Counters: ns_per_row, and of_peak = 4 M T H E float operations against the peak of
// multiply-adds.

#include "against_probe.hpp"
#include "probe.hpp"
#include "random_model.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::index;

context const ctx{1};
constexpr index rows = 252;

/// Argument: tokens T.
void prefix_attention(benchmark::State& state, model_shape const& shape) {
    index const tokens = state.range(0);
    plateau::backend::attention_shape<float> const attention{shape.heads, shape.kv_heads, shape.head_width, 0.125f};
    auto const q = random_values<float, 2>({rows, shape.q_width()}, 1);
    auto const keys = random_values<float, 2>({rows, shape.kv_width()}, 2);
    auto const values = random_values<float, 2>({rows, shape.kv_width()}, 3);
    auto const prefix_keys = random_values<float, 2>({tokens - 1, shape.kv_width()}, 4);
    auto const prefix_values = random_values<float, 2>({tokens - 1, shape.kv_width()}, 5);
    plateau::tensor::buffer<float, 2> z({rows, shape.q_width()});
    std::vector<plateau::backend::segment<float>> segments;
    for (index r = 0; r < rows; ++r) segments.push_back({r, 1, prefix_keys, prefix_values});
    double const flops = 4.0 * static_cast<double>(rows * tokens * shape.q_width());
    auto const rate = against_probe(
        state, flops, [&] { plateau::backend::prefix_attention<float>(ctx, attention, q, keys, values, segments, z); },
        [] { return peak_flops(ctx.path()); });
    state.counters["ns_per_row"] = 1e9 * flops / rate.reached / static_cast<double>(rows);
    state.counters["of_peak"] = rate.fraction;
}

void prompts(benchmark::internal::Benchmark* b) {
    for (index tokens : {10, 64, 256, 512, 1024}) b->Arg(tokens);
    b->ArgName("tokens")->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(benchmark_rounds);
}

BENCHMARK_CAPTURE(prefix_attention, smollm2, smollm2)->Apply(prompts);
BENCHMARK_CAPTURE(prefix_attention, gpt2, gpt2)->Apply(prompts);

}  // namespace
