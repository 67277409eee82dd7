// A model of arrays in memory, without any file: a Llama of one's own size, with weights drawn here.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <plateau/core/normal.hpp>
#include <plateau/models/array_source.hpp>
#include <plateau/plateau.hpp>

int main() {
    plateau::models::model_texts texts;
    texts.config = plateau::models::parse_model_config(R"({"model_type": "llama", "vocab_size": 50, "hidden_size": 32,
        "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "max_position_embeddings": 64})",
                                                       "my model");
    plateau::counter_rng rng{1};
    std::map<std::string, std::vector<float>> arrays;
    plateau::models::array_source<float> source{"my arrays"};
    auto const add = [&](std::string const& name, std::vector<plateau::index> const& shape) {
        auto& values = arrays[name];
        values.resize(static_cast<std::size_t>(shape.size() == 1 ? shape[0] : shape[0] * shape[1]), 1.0f);
        if (shape.size() == 2) {
            for (float& x : values) x = 0.3f * static_cast<float>(plateau::standard_normal(rng));
        }
        source.add(name, shape, values);
    };
    add("model.embed_tokens.weight", {50, 32}), add("lm_head.weight", {50, 32}), add("model.norm.weight", {32});
    for (int layer = 0; layer < 4; ++layer) {
        auto const in_layer = [&](std::string const& part) {
            return "model.layers." + std::to_string(layer) + "." + part + ".weight";
        };
        for (std::string const part : {"q", "k", "v", "o"}) add(in_layer("self_attn." + part + "_proj"), {32, 32});
        add(in_layer("mlp.gate_proj"), {64, 32}), add(in_layer("mlp.up_proj"), {64, 32});
        add(in_layer("mlp.down_proj"), {32, 64});
        add(in_layer("input_layernorm"), {32}), add(in_layer("post_attention_layernorm"), {32});
    }
    auto const cpu = std::make_shared<plateau::backend::cpu_context const>();
    auto const model = plateau::assemble<float>(cpu, texts, source);
    for (double const d : plateau::sweep::interpolate(model, {3, 1, 4, 1, 5}, {3, 1, 4, 1, 6}, 6)) {
        std::printf("%a\n", d);
    }
}
