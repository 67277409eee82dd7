#pragma once
/// Random tiny Llama checkpoints on disk, whole or broken on purpose.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/core/types.hpp>

namespace tiny {

inline void write_text(std::filesystem::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary) << text;
}

struct stored_tensor {
    std::vector<plateau::index> shape;
    std::vector<float> values;
};

/// Tensors and configuration of a random Llama, open to be damaged before they are written.
struct checkpoint {
    plateau::index layers = 3, d_model = 24, heads = 4, kv_heads = 2, d_mlp = 40, vocab = 37, context = 64;
    bool tied = false;
    std::map<std::string, stored_tensor> tensors;

    /// @param spread  standard deviation of the matrices, about
    explicit checkpoint(std::uint64_t seed = 1, float spread = 0.3f, plateau::index layer_count = 3)
        : layers{layer_count} {
        plateau::counter_rng rng{seed};
        auto const add = [&](std::string const& name, std::vector<plateau::index> shape, float centre, float width) {
            stored_tensor tensor{shape, {}};
            plateau::index count = 1;
            for (auto extent : shape) count *= extent;
            for (plateau::index i = 0; i < count; ++i) {
                double sum = 0;
                for (int k = 0; k < 4; ++k) sum += rng.uniform() - 0.5;
                tensor.values.push_back(centre + width * static_cast<float>(sum * 1.73));
            }
            tensors[name] = std::move(tensor);
        };
        plateau::index const kv = kv_heads * d_model / heads;
        add("model.embed_tokens.weight", {vocab, d_model}, 0, 1);
        add("lm_head.weight", {vocab, d_model}, 0, spread);
        add("model.norm.weight", {d_model}, 1, 0.2f);
        for (plateau::index layer = 0; layer < layers; ++layer) {
            std::string const at = "model.layers." + std::to_string(layer) + ".";
            add(at + "input_layernorm.weight", {d_model}, 1, 0.2f);
            add(at + "post_attention_layernorm.weight", {d_model}, 1, 0.2f);
            add(at + "self_attn.q_proj.weight", {d_model, d_model}, 0, spread);
            add(at + "self_attn.k_proj.weight", {kv, d_model}, 0, spread);
            add(at + "self_attn.v_proj.weight", {kv, d_model}, 0, spread);
            add(at + "self_attn.o_proj.weight", {d_model, d_model}, 0, spread);
            add(at + "mlp.gate_proj.weight", {d_mlp, d_model}, 0, spread);
            add(at + "mlp.up_proj.weight", {d_mlp, d_model}, 0, spread);
            add(at + "mlp.down_proj.weight", {d_model, d_mlp}, 0, spread);
        }
    }

    std::string config() const {
        return "{\"model_type\": \"llama\", \"hidden_size\": " + std::to_string(d_model) +
               ", \"num_hidden_layers\": " + std::to_string(layers) +
               ", \"num_attention_heads\": " + std::to_string(heads) +
               ", \"num_key_value_heads\": " + std::to_string(kv_heads) +
               ", \"intermediate_size\": " + std::to_string(d_mlp) + ", \"vocab_size\": " + std::to_string(vocab) +
               ", \"max_position_embeddings\": " + std::to_string(context) +
               ", \"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\", \"tie_word_embeddings\": " +
               (tied ? "true" : "false") + "}";
    }

    void write(std::filesystem::path const& folder) const {
        std::string header = "{", data;
        for (auto const& [name, tensor] : tensors) {
            std::string shape;
            for (auto extent : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
            std::size_t const begin = data.size(), bytes = tensor.values.size() * sizeof(float);
            data.append(reinterpret_cast<char const*>(tensor.values.data()), bytes);
            header += (header.size() > 1 ? "," : "") +
                      ("\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" +
                       std::to_string(begin) + "," + std::to_string(begin + bytes) + "]}");
        }
        header += "}";
        std::uint64_t const length = header.size();
        std::string prefix(sizeof length, '\0');
        std::memcpy(prefix.data(), &length, sizeof length);
        write_text(folder / "model.safetensors", prefix + header + data);
        write_text(folder / "config.json", config());
    }
};

/// Random prompts of the checkpoint's vocabulary.
inline std::vector<std::vector<plateau::token_id>> random_prompts(std::uint64_t seed,
                                                                  std::vector<plateau::index> const& lengths,
                                                                  plateau::index vocab) {
    plateau::counter_rng rng{seed};
    std::vector<std::vector<plateau::token_id>> prompts;
    for (auto length : lengths) {
        auto& prompt = prompts.emplace_back();
        for (plateau::index t = 0; t < length; ++t) {
            prompt.push_back(static_cast<plateau::token_id>(rng.below(static_cast<std::uint64_t>(vocab))));
        }
    }
    return prompts;
}

}  // namespace tiny
