#pragma once
/// Random matrices, and models of published shapes with random weights and a small vocabulary.

#include <memory>

#include <plateau/core/rng.hpp>
#include <plateau/engine/engine_on.hpp>
#include <plateau/models/transformer.hpp>

#include "shapes.hpp"

namespace plateau::benchmarks {

using context = backend::cpu_context;
/// Of the CPU, or of another backend.
template <class Context>
using random_transformer_on = models::transformer<Context, float>;
using random_transformer = random_transformer_on<context>;
/// Such a model with the threads that compute it.
using random_engine = engine::engine_on<context, float, random_transformer>;

/// Uniform in [−size, size).
template <class T, std::size_t Rank>
tensor::buffer<T, Rank> random_values(std::array<index, Rank> extents, std::uint64_t seed, float size = 0.5f) {
    tensor::buffer<T, Rank> values(extents);
    counter_rng rng{seed};
    for (T& value : values.flat()) value = static_cast<T>(size * static_cast<float>(2 * rng.uniform() - 1));
    return values;
}

/// Stored is float or bfloat16.
template <class Stored>
backend::linear_weight<float> random_weight(index outputs, index inputs, std::uint64_t seed) {
    return backend::linear_weight<float>{random_values<Stored, 2>({outputs, inputs}, seed, 0.05f)};
}

/// The same in the memory of a backend.
template <class Stored, class Context>
typename Context::template weight<float> random_weight(Context const& ctx, index outputs, index inputs,
                                                       std::uint64_t seed) {
    typename Context::template weight<float> weight{ctx, outputs, inputs, dtype_of<Stored>};
    auto const values = random_values<Stored, 2>({outputs, inputs}, seed, 0.05f);
    weight.writer().outputs(0, values);
    return weight;
}

inline constexpr index random_vocabulary = 1000;

/// @param ctx  of whose backend the model is; where its weights live on a device, it outlives them
template <class Stored, class Context>
random_transformer_on<Context> random_model(Context const& ctx, model_shape const& shape) {
    index const d = shape.width, context_length = 1024;
    std::uint64_t seed = 1;
    auto const values = [&](index count, float size) {
        return backend::owned_by(ctx, random_values<float, 1>({count}, ++seed, size));
    };
    auto const linear = [&](index outputs, index inputs) {
        nn::linear<Context, float> layer{random_weight<Stored>(ctx, outputs, inputs, ++seed)};
        if (!shape.llama) layer.bias = values(outputs, 0.1f);
        return layer;
    };
    auto const norm = [&] {
        nn::norm<Context, float> layer{shape.llama ? norm_kind::rms : norm_kind::layer};
        layer.weight = values(d, 1.0f);
        if (!shape.llama) layer.bias = values(d, 0.1f);
        return layer;
    };
    random_transformer_on<Context> model;
    using weight = typename random_transformer_on<Context>::weight;
    model.embedding = std::make_shared<weight const>(random_weight<Stored>(ctx, random_vocabulary, d, ++seed));
    model.unembedding = model.embedding;
    model.context_length = context_length;
    if (!shape.llama)
        model.positions = std::make_shared<weight const>(random_weight<Stored>(ctx, context_length, d, ++seed));
    auto const rotary =
        shape.llama ? std::make_shared<nn::rope const>(nn::rope::standard(shape.head_width, 10000)) : nullptr;
    for (index layer = 0; layer < shape.layers; ++layer) {
        auto& block = model.blocks.emplace_back();
        block.attention.before = norm();
        block.mlp.before = norm();
        block.attention.part.shape = {shape.heads, shape.kv_heads, shape.head_width,
                                      1 / std::sqrt(static_cast<float>(shape.head_width))};
        block.attention.part.query = linear(shape.q_width(), d);
        block.attention.part.key = linear(shape.kv_width(), d);
        block.attention.part.value = linear(shape.kv_width(), d);
        block.attention.part.output = linear(d, shape.q_width());
        block.attention.part.rotary = rotary;
        block.mlp.part.act = shape.llama ? activation::silu : activation::gelu_tanh;
        block.mlp.part.gated = shape.llama;
        if (shape.llama) block.mlp.part.gate = linear(shape.d_mlp, d);
        block.mlp.part.in = linear(shape.d_mlp, d);
        block.mlp.part.out = linear(d, shape.d_mlp);
    }
    model.final_norm = norm();
    return model;
}

template <class Stored>
std::unique_ptr<random_engine const> make_random_engine(model_shape const& shape, int threads) {
    auto const ctx = std::make_shared<context const>(threads);
    return std::make_unique<random_engine const>(ctx, random_model<Stored>(*ctx, shape));
}

/// `count` prompts of `length` random tokens.
inline prompt_list random_prompts(index count, index length) {
    counter_rng rng{7};
    prompt_list prompts(static_cast<std::size_t>(count), std::vector<token_id>(static_cast<std::size_t>(length)));
    for (auto& prompt : prompts) {
        for (auto& token : prompt) token = static_cast<token_id>(rng.below(random_vocabulary));
    }
    return prompts;
}

}  // namespace plateau::benchmarks
