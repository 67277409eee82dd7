// The engine on a random Llama: points per second, prefix included. 20 pairs of 10-token prompts, 50 points each.

#include <benchmark/benchmark.h>

#include <memory>

#include <plateau/core/rng.hpp>
#include <plateau/models/transformer.hpp>
#include <plateau/sweep/interpolate.hpp>

namespace {

namespace backend = plateau::backend;
namespace models = plateau::models;
namespace nn = plateau::nn;
using context = backend::cpu_context;
using plateau::index;

backend::linear_weight<float> random_weight(index outputs, index inputs, std::uint64_t seed) {
    plateau::tensor::buffer<float, 2> weight({outputs, inputs});
    plateau::counter_rng rng{seed};
    for (float& value : weight.flat()) value = 0.1f * static_cast<float>(rng.uniform() - 0.5);
    return backend::linear_weight<float>{std::move(weight)};
}

/// SmolLM2-135M's shape with `layers` layers and a small vocabulary.
models::transformer<context, float> random_llama(index layers) {
    index const d = 576, heads = 9, kv_heads = 3, width = 64, d_mlp = 1536, vocabulary = 1000;
    models::transformer<context, float> model;
    model.embedding = std::make_shared<backend::linear_weight<float> const>(random_weight(vocabulary, d, 1));
    model.unembedding = model.embedding;
    model.context_length = 64;
    auto const rotary = std::make_shared<nn::rope const>(nn::rope::standard(width, 10000));
    for (index layer = 0; layer < layers; ++layer) {
        auto const seed = static_cast<std::uint64_t>(10 * layer);
        auto& block = model.blocks.emplace_back();
        block.attend.shape = {heads, kv_heads, width, 0.125f};
        block.attend.rotary = rotary;
        block.attend.query.weight = random_weight(heads * width, d, seed + 2);
        block.attend.key.weight = random_weight(kv_heads * width, d, seed + 3);
        block.attend.value.weight = random_weight(kv_heads * width, d, seed + 4);
        block.attend.output.weight = random_weight(d, heads * width, seed + 5);
        block.feed_forward.gated = true;
        block.feed_forward.gate.weight = random_weight(d_mlp, d, seed + 6);
        block.feed_forward.in.weight = random_weight(d_mlp, d, seed + 7);
        block.feed_forward.out.weight = random_weight(d, d_mlp, seed + 8);
    }
    return model;
}

/// Arguments: layers, threads.
void interpolate(benchmark::State& state) {
    auto const model = random_llama(state.range(0));
    context const ctx{static_cast<int>(state.range(1))};
    plateau::counter_rng rng{7};
    models::prompt_list prompts(21, std::vector<plateau::token_id>(10));
    for (auto& prompt : prompts) {
        for (auto& token : prompt) token = static_cast<plateau::token_id>(rng.below(1000));
    }
    std::vector<plateau::sweep::prompt_pair> pairs;
    for (index i = 0; i < 20; ++i) pairs.push_back({i, i + 1});
    for (auto _ : state) benchmark::DoNotOptimize(plateau::sweep::interpolate(ctx, model, prompts, pairs, {.steps = 50}));
    state.counters["points/s"] = benchmark::Counter(20 * 50, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(interpolate)->Args({10, 1})->Args({10, 2})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
