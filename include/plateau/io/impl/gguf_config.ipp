#pragma once
/// Bodies of io/gguf_config.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/core/variants.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/gguf_config.hpp>
#include <plateau/io/gguf_metadata.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

namespace detail {

/// The metadata of one architecture: keys without its prefix.
class gguf_section {
public:
    gguf_section(gguf_file const& file, std::string_view architecture)
        : metadata_{file.metadata()}, where_{file.path().string()}, prefix_{concat({architecture, "."})} {}

    std::string const& where() const { return where_; }
    std::optional<index> integer(std::string_view key) const { return metadata_.integer(full(key)); }
    std::optional<double> number(std::string_view key) const { return metadata_.number(full(key)); }
    std::optional<bool> boolean(std::string_view key) const { return metadata_.boolean(full(key)); }
    std::optional<std::string> text(std::string_view key) const { return metadata_.text(full(key)); }

    template <class T>
    T required(std::optional<T> value, std::string_view key) const {
        if (!value) throw config_error(where_, ": the metadata key \"", full(key), "\" is missing");
        return *value;
    }

    void refuse(std::string_view key, bool present) const {
        if (present)
            throw config_error(where_, ": the metadata key \"", full(key), "\" has a value that is not supported");
    }

    std::string full(std::string_view key) const { return concat({prefix_, key}); }
    bool contains(std::string_view key) const { return metadata_.contains(full(key)); }

private:
    gguf_metadata const& metadata_;
    std::string where_;
    std::string prefix_;
};

PLATEAU_INLINE void read_gguf_sizes(gguf_section const& section, model_config& config) {
    auto const size = [&](std::string_view key) { return section.required(section.integer(key), key); };
    config.layers = size("block_count");
    config.d_model = size("embedding_length");
    config.d_mlp = size("feed_forward_length");
    config.heads = size("attention.head_count");
    config.kv_heads = section.integer("attention.head_count_kv").value_or(config.heads);
    config.context = size("context_length");
    auto width = section.integer("attention.key_length");
    if (!width) width = section.integer("rope.dimension_count");
    if (!width && (config.heads < 1 || config.d_model % config.heads != 0)) {
        throw config_error(section.where(), ": \"", section.full("embedding_length"), "\" ", config.d_model,
                           " is not divisible by \"", section.full("attention.head_count"), "\" ", config.heads);
    }
    config.d_head = width ? *width : config.d_model / config.heads;
    section.refuse("attention.value_length",
                   section.integer("attention.value_length").value_or(config.d_head) != config.d_head);
    section.refuse("rope.dimension_count",
                   section.integer("rope.dimension_count").value_or(config.d_head) != config.d_head);
}

/// Options of llama.cpp that change the numbers and that no family here has.
PLATEAU_INLINE void refuse_gguf_options(gguf_section const& section, index context) {
    for (char const* key : {"attention.scale", "attention.clamp_kqv", "attention.max_alibi_bias", "logit_scale",
                            "residual_scale", "embedding_scale", "attn_logit_softcapping", "final_logit_softcapping"}) {
        section.refuse(key, section.contains(key));
    }
    section.refuse("attention.causal", !section.boolean("attention.causal").value_or(true));
    section.refuse("expert_count", section.integer("expert_count").value_or(0) != 0);
    section.refuse("attention.sliding_window", section.integer("attention.sliding_window").value_or(context) < context);
}

/// The divisors of the rotary frequencies of a llama3 scaling, one for each pair.
PLATEAU_INLINE std::vector<double> llama3_divisors(rope_config const& rope, index d_head) {
    std::vector<double> divisors;
    for (index i = 0; i < d_head / 2; ++i) {
        double const exponent = -2.0 * static_cast<double>(i) / static_cast<double>(d_head);
        double const turns =
            static_cast<double>(rope.original_context) * std::pow(rope.theta, exponent) / (2 * std::numbers::pi);
        double const kept =
            std::clamp((turns - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor), 0.0, 1.0);
        divisors.push_back(1 / ((1 - kept) / rope.factor + kept));
    }
    return divisors;
}

/// GGUF keeps the divisors of the frequencies and drops the numbers that made them. All published models
/// with this scaling share three of the four, and the fourth is the largest divisor.
PLATEAU_INLINE void read_rope_divisors(gguf_file const& file, model_config& config) {
    constexpr char const* name = "rope_freqs.weight";
    if (!file.contains(name)) return;
    std::string const where = concat({file.path().string(), ": tensor \"", name, "\""});
    auto const count = element_count(file.info(name));
    if (count != config.d_head / 2) {
        throw config_error(where, " has ", count, " values, expected ", config.d_head / 2);
    }
    std::vector<float> stored(static_cast<std::size_t>(count));  // no encoding holds more
    file.read(name, std::span<float>(stored));
    if (std::all_of(stored.begin(), stored.end(), [](float value) { return value == 1; })) return;
    if (config.rope.kind != rope_kind::standard) throw config_error(where, " and a RoPE scaling exclude each other");
    config.rope.kind = rope_kind::llama3;
    config.rope.factor = *std::max_element(stored.begin(), stored.end());
    config.rope.low_freq_factor = 1;
    config.rope.high_freq_factor = 4;
    config.rope.original_context = 8192;
    auto const expected = llama3_divisors(config.rope, config.d_head);
    constexpr double tolerance = 1e-4;  // the converter computes in float32
    for (std::size_t i = 0; i < stored.size(); ++i) {
        if (std::abs(stored[i] - expected[i]) <= tolerance * expected[i]) continue;
        throw config_error(where,
                           " does not hold the llama3 scaling with low_freq_factor 1, high_freq_factor 4 and "
                           "8192 original positions, the only one supported here; use the Hugging Face checkpoint");
    }
}

PLATEAU_INLINE void read_gguf_rope(gguf_section const& section, model_config& config) {
    config.rope.kind = rope_kind::standard;
    config.rope.theta = section.number("rope.freq_base").value_or(10000.0);
    auto const type = section.text("rope.scaling.type").value_or("");
    if (!type.empty() && type != "none" && type != "linear") {
        throw config_error(section.where(), ": RoPE scaling ", printable(type), " (\"",
                           section.full("rope.scaling.type"), "\") is not supported; supported are none and linear");
    }
    auto factor = section.number("rope.scaling.factor");
    if (!factor && type.empty()) factor = section.number("rope.scale_linear");
    if (type == "none" || !factor || *factor == 1) return;
    config.rope.kind = rope_kind::linear;
    config.rope.factor = *factor;
}

}  // namespace detail

PLATEAU_INLINE model_config config_from_gguf(gguf_file const& file) {
    constexpr std::array<std::string_view, 2> supported{"llama", "qwen2"};
    std::string const where = file.path().string();
    auto const architecture = file.metadata().text("general.architecture");
    if (!architecture) throw config_error(where, ": the metadata key \"general.architecture\" is missing");
    if (std::find(supported.begin(), supported.end(), *architecture) == supported.end()) {
        throw config_error(where, ": the architecture ", printable(*architecture),
                           " is not supported; supported are llama and qwen2");
    }
    detail::gguf_section const section{file, *architecture};
    model_config config;
    config.model_type = *architecture;
    detail::read_gguf_sizes(section, config);
    detail::refuse_gguf_options(section, config.context);
    auto const& embedding = file.info("token_embd.weight");
    if (embedding.shape.size() != 2)
        throw config_error(where, ": the shape of token_embd.weight is ", to_string(embedding.shape));
    config.vocab = embedding.shape[0];
    config.norm = norm_kind::rms;
    constexpr char const* epsilon = "attention.layer_norm_rms_epsilon";
    config.norm_eps = section.required(section.number(epsilon), epsilon);
    config.act = activation::silu;
    config.gated_mlp = true;
    detail::read_gguf_rope(section, config);
    config.tied_head = !file.contains("output.weight");
    config.qkv_bias = file.contains("blk.0.attn_q.bias");
    config.out_bias = file.contains("blk.0.attn_output.bias");
    config.mlp_bias = file.contains("blk.0.ffn_gate.bias");
    auto const add_id = [&](std::string_view key, std::vector<token_id>& ids) {
        if (auto const id = file.metadata().integer(key); id && *id >= 0 && *id < config.vocab) {
            ids.push_back(static_cast<token_id>(*id));
        }
    };
    add_id("tokenizer.ggml.bos_token_id", config.bos);
    add_id("tokenizer.ggml.eos_token_id", config.eos);
    require_valid(config, where);
    detail::read_rope_divisors(file, config);
    require_valid(config, where);
    return config;
}

}  // namespace plateau::io
