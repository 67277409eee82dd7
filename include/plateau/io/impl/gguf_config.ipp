#pragma once
/// Bodies of io/gguf_config.hpp.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
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
#include <plateau/io/gguf_architectures.hpp>
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
    /// A number that fits a float32 is the shortest decimal that rounds to it: what config.json has.
    std::optional<double> number(std::string_view key) const;
    std::optional<bool> boolean(std::string_view key) const { return metadata_.boolean(full(key)); }
    std::optional<std::string> text(std::string_view key) const { return metadata_.text(full(key)); }
    std::vector<index> booleans(std::string_view key) const { return metadata_.booleans(full(key)); }

    template <class T>
    T required(std::optional<T> value, std::string_view key) const {
        if (!value) refuse_missing(key);
        return *value;
    }

    [[noreturn]] void refuse_missing(std::string_view key) const {
        throw config_error(where_, ": the metadata key \"", full(key), "\" is missing");
    }

    void refuse(std::string_view key, bool present) const {
        if (!present) return;
        throw config_error(where_, ": the metadata key \"", full(key),
                           "\" has a value that is not supported: it would change the numbers; use the Hugging Face "
                           "checkpoint, if its configuration is supported");
    }

    std::string full(std::string_view key) const { return concat({prefix_, key}); }
    bool contains(std::string_view key) const { return metadata_.contains(full(key)); }

    gguf_metadata const& metadata() const { return metadata_; }
    std::string_view prefix() const { return prefix_; }

private:
    gguf_metadata const& metadata_;
    std::string where_;
    std::string prefix_;
};

PLATEAU_INLINE std::optional<double> gguf_section::number(std::string_view key) const {
    auto value = metadata_.number(full(key));
    if (!value || !(std::abs(*value) < 1e30) || static_cast<double>(static_cast<float>(*value)) != *value) return value;
    char digits[64];
    auto const end = std::to_chars(digits, digits + sizeof(digits), static_cast<float>(*value)).ptr;
    std::from_chars(digits, end, *value);
    return value;
}

PLATEAU_INLINE void read_gguf_sizes(gguf_section const& section, model_config& config) {
    auto const size = [&](std::string_view key) { return section.required(section.integer(key), key); };
    config.layers = size("block_count");
    config.d_model = size("embedding_length");
    config.d_mlp = size("feed_forward_length");
    config.heads = size("attention.head_count");
    config.kv_heads = section.integer("attention.head_count_kv").value_or(config.heads);
    config.context = size("context_length");
    auto const width = section.integer("attention.key_length");
    if (!width && (config.heads < 1 || config.d_model % config.heads != 0)) {
        throw config_error(section.where(), ": \"", section.full("embedding_length"), "\" ", config.d_model,
                           " is not divisible by \"", section.full("attention.head_count"), "\" ", config.heads);
    }
    config.d_head = width ? *width : config.d_model / config.heads;
    section.refuse("attention.value_length",
                   section.integer("attention.value_length").value_or(config.d_head) != config.d_head);
}

/// Refuses keys beside those that are read, or that change no number here: whatever else an architecture of llama.cpp
/// may have would change them.
PLATEAU_INLINE void refuse_gguf_options(gguf_architecture const& architecture, gguf_section const& section) {
    constexpr std::string_view read =
        " block_count embedding_length feed_forward_length context_length vocab_size tensor_data_layout pooling_type "
        "attention.head_count attention.head_count_kv attention.key_length attention.value_length attention.causal "
        "attention.layer_norm_epsilon attention.layer_norm_rms_epsilon attention.sliding_window use_parallel_residual "
        "rope.dimension_count rope.freq_base rope.scale_linear rope.scaling.type rope.scaling.factor "
        "rope.scaling.attn_factor rope.scaling.original_context_length rope.scaling.finetuned "
        "rope.scaling.yarn_attn_factor rope.scaling.yarn_beta_fast rope.scaling.yarn_beta_slow ";
    constexpr std::string_view of_windows = " attention.sliding_window_pattern rope.freq_base_swa ";
    constexpr std::string_view off_at_0 =
        " expert_count expert_used_count attention.max_alibi_bias attention.clamp_kqv ";
    auto const keys = section.metadata().keys();
    for (auto const& whole : keys) {
        if (!whole.starts_with(section.prefix())) continue;
        std::string_view const key = std::string_view{whole}.substr(section.prefix().size());
        auto const word = concat({" ", key, " "});
        if (read.find(word) != std::string_view::npos) continue;
        if (architecture.options.find(word) != std::string_view::npos) continue;
        if (architecture.local_theta != 0 && of_windows.find(word) != std::string_view::npos) continue;
        section.refuse(key, off_at_0.find(word) == std::string_view::npos || section.number(key) != 0.0);
    }
    section.refuse("attention.causal", !section.boolean("attention.causal").value_or(true));
}

/// The options of the architectures that have one.
PLATEAU_INLINE void read_gguf_options(gguf_architecture const& architecture, gguf_section const& section,
                                      model_config& config) {
    if (architecture.scaled_embedding) config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
    config.parallel = architecture.parallel;
    constexpr char const* parallel = "use_parallel_residual";
    if (architecture.options.find(parallel) != std::string_view::npos)
        config.parallel = section.required(section.boolean(parallel), parallel);
    else section.refuse(parallel, section.boolean(parallel).value_or(config.parallel) != config.parallel);
    config.clip_qkv = section.number("attention.clamp_kqv").value_or(0);
    // a file without the caps of Gemma-2 has those that llama.cpp takes
    bool const capped = architecture.options.find(" attn_logit_softcapping ") != std::string_view::npos;
    config.score_cap = section.number("attn_logit_softcapping").value_or(capped ? 50 : 0);
    config.logit_cap = section.number("final_logit_softcapping").value_or(capped ? 30 : 0);
    if (config.layers == architecture.scores_by_width)
        config.score_scale = 1 / std::sqrt(static_cast<double>(config.d_model / config.heads));
    for (index n = architecture.unrotated_every; n > 0 && n <= config.layers; n += architecture.unrotated_every)
        config.unrotated.push_back(n - 1);
}

/// The attention windows.
PLATEAU_INLINE void read_gguf_windows(gguf_architecture const& architecture, gguf_section const& section,
                                      model_config& config) {
    constexpr char const *length = "attention.sliding_window", *pattern = "attention.sliding_window_pattern";
    index const window = section.integer(length).value_or(architecture.window);
    bool const may_have = !architecture.windowed_type.empty();
    section.refuse(length, window < 0 || (!may_have && window > 0 && window < config.context));
    if (window == 0 || !may_have) return;
    config.model_type = architecture.windowed_type;
    auto const has_one = section.booleans(pattern);
    if (!has_one.empty() && static_cast<index>(has_one.size()) != config.layers) section.refuse(pattern, true);
    for (index layer = 0; layer < config.layers; ++layer) {
        index const n = architecture.unwindowed_every;
        bool const here =
            has_one.empty() ? n == 0 || (layer + 1) % n != 0 : has_one[static_cast<std::size_t>(layer)] != 0;
        config.windows.push_back(here ? window : 0);
    }
}

/// Numbers that a tensor of the file has for each rotated pair.
PLATEAU_INLINE std::vector<double> read_gguf_divisors(gguf_file const& file, char const* name, index expected) {
    auto const fail = [&](std::string_view what) {
        throw config_error(file.path().string(), ": tensor \"", name, "\" ", what);
    };
    auto const count = element_count(file.info(name));
    if (count != expected) fail(concat({"has ", count, " values, expected ", expected}));
    std::vector<float> stored(static_cast<std::size_t>(count));  // no encoding holds more
    file.read(name, std::span<float>(stored));
    for (float const divisor : stored) {
        if (!(divisor > 0)) fail("must hold positive numbers: it divides the rotary frequencies");
    }
    return {stored.begin(), stored.end()};
}

/// Rotary positions. rope_freqs.weight divides the frequencies, whatever it holds, as llama.cpp has it.
PLATEAU_INLINE void read_gguf_rope(gguf_file const& file, gguf_architecture const& architecture,
                                   gguf_section const& section, model_config& config) {
    if (architecture.learned_positions) return;
    auto& rope = config.rope;
    rope.kind = rope_kind::standard;
    rope.theta = section.number("rope.freq_base").value_or(10000.0);
    constexpr char const* width = "rope.dimension_count";
    index const turned = section.integer(width).value_or(config.d_head);
    section.refuse(width, turned > config.d_head || (turned != config.d_head && !architecture.partial_rotary));
    rope.fraction = static_cast<double>(turned) / static_cast<double>(config.d_head);
    if (turned > 0 && rope.width(config.d_head) < turned) rope.fraction = std::nextafter(rope.fraction, 1.0);

    if (architecture.local_theta != 0 && !config.windows.empty()) {
        config.local_rope.kind = rope.kind;
        config.local_rope.fraction = rope.fraction;
        config.local_rope.theta = section.number("rope.freq_base_swa")
                                      .value_or(architecture.local_theta > 0 ? architecture.local_theta : rope.theta);
    }

    auto const type = section.text("rope.scaling.type").value_or("");
    constexpr char const *original = "rope.scaling.original_context_length", *magnitude = "rope.scaling.attn_factor";
    auto factor = section.number("rope.scaling.factor");
    if (!factor) factor = section.number("rope.scale_linear");
    bool const longrope = file.contains("rope_factors_long.weight") || file.contains("rope_factors_short.weight");
    if (longrope || type == "yarn") rope.original_context = section.integer(original).value_or(config.context);
    if (longrope) {
        rope.kind = rope_kind::longrope;
        rope.long_factors = read_gguf_divisors(file, "rope_factors_long.weight", turned / 2);
        rope.short_factors = read_gguf_divisors(file, "rope_factors_short.weight", turned / 2);
        rope.factor =
            static_cast<double>(config.context) / static_cast<double>(std::max<index>(rope.original_context, 1));
        rope.attention_factor = section.number(magnitude).value_or(1);
        rope.restarts = config.model_type == "phi3";
    } else if (type == "yarn") {
        constexpr char const* needed = "rope.scaling.factor";
        rope.kind = rope_kind::yarn;
        rope.factor = section.required(factor, needed);
        rope.beta_fast = section.number("rope.scaling.yarn_beta_fast").value_or(32);
        rope.beta_slow = section.number("rope.scaling.yarn_beta_slow").value_or(1);
        rope.attention_factor = section.number("rope.scaling.yarn_attn_factor")
                                    .value_or(rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1.0);
    } else if (!type.empty() && type != "none" && type != "linear") {
        throw config_error(section.where(), ": RoPE scaling ", printable(type), " (\"",
                           section.full("rope.scaling.type"),
                           "\") is not supported; supported are none, linear, yarn, and longrope with its factors");
    } else if (type != "none" && factor && *factor != 1 && *factor != 0) {
        rope.kind = rope_kind::linear;
        rope.factor = *factor;
    }
    section.refuse(magnitude, !longrope && section.number(magnitude).value_or(1) != 1);

    if (!file.contains("rope_freqs.weight")) return;
    rope.divisors = read_gguf_divisors(file, "rope_freqs.weight", turned / 2);
    bool all_one = true;
    for (double const divisor : rope.divisors) all_one = all_one && divisor == 1;
    if (all_one) rope.divisors.clear();
}

}  // namespace detail

PLATEAU_INLINE gguf_architecture const& gguf_architecture_of(gguf_file const& file) {
    std::string const where = file.path().string();
    auto type = file.metadata().text("general.type").value_or("model");
    auto const name = file.metadata().text("general.architecture");
    if (!name && type == "model") throw config_error(where, ": the metadata key \"general.architecture\" is missing");
    if (name == "clip") type = "mmproj";
    if (type != "model") {
        std::string_view hint = "";
        if (type == "adapter") hint = "; merge it into its base model first (llama-export-lora of llama.cpp)";
        if (type == "mmproj")
            hint = ", the projector of images or sound; load the file of the language model beside it";
        throw config_error(where, ": this file holds no model, but what llama.cpp calls ", printable(type), hint);
    }
    if (file.tensors().all().empty()) {
        throw file_error(where,
                         ": this file holds a vocabulary alone, not a model: it has no tensors, not even "
                         "token_embd.weight; load the file of the whole model");
    }
    std::string known;
    for (auto const& architecture : known_gguf_architectures()) {
        if (architecture.name == *name) return architecture;
        known += concat({known.empty() ? "" : ", ", architecture.name});
    }
    throw config_error(where, ": the architecture ", printable(*name), " is not supported; supported are ", known,
                       ". llama.cpp has none for OPT and GPT-Neo: load their Hugging Face folders");
}

PLATEAU_INLINE model_config config_from_gguf(gguf_file const& file) {
    std::string const where = file.path().string();
    auto const& architecture = gguf_architecture_of(file);
    detail::gguf_section const section{file, architecture.name};
    model_config config;
    config.model_type = architecture.model_type;
    detail::read_gguf_sizes(section, config);
    auto const& embedding = file.info("token_embd.weight");
    if (embedding.shape.size() != 2)
        throw config_error(where, ": the shape of token_embd.weight is ", to_string(embedding.shape));
    config.vocab = embedding.shape[0];
    config.norm = architecture.norm;
    char const* const epsilon =
        config.norm == norm_kind::layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
    config.norm_eps = section.required(section.number(epsilon), epsilon);
    config.norm_weights = architecture.norm_weights;
    config.act = architecture.act;
    config.gated_mlp = architecture.gated;
    config.learned_positions = config.scaled_outputs = architecture.learned_positions;
    config.qk_norm = architecture.qk_norm;
    config.tied_head = !file.contains("output.weight");
    config.head_bias = file.contains("output.bias");
    config.qkv_bias = file.contains("blk.0.attn_q.bias") || file.contains("blk.0.attn_qkv.bias");
    config.out_bias = file.contains("blk.0.attn_output.bias");
    config.mlp_bias = file.contains("blk.0.ffn_up.bias");
    auto const add_id = [&](std::string_view key, std::vector<token_id>& ids) {
        if (auto const id = file.metadata().integer(key); id && *id >= 0 && *id < config.vocab) {
            ids.push_back(static_cast<token_id>(*id));
        }
    };
    add_id("tokenizer.ggml.bos_token_id", config.bos);
    add_id("tokenizer.ggml.eos_token_id", config.eos);
    require_valid(config, where);
    if (architecture.assumed_sizes) {
        auto const rows = [&](char const* name, index width, index otherwise) {
            if (!file.contains(name)) return otherwise;
            auto const& shape = file.info(name).shape;
            return shape.size() == 2 && width > 0 && shape[0] % width == 0 ? shape[0] / width : otherwise;
        };
        config.d_mlp = rows("blk.0.ffn_up.weight", 1, config.d_mlp);
        index const all = config.heads + 2 * config.kv_heads;
        config.kv_heads = (rows("blk.0.attn_qkv.weight", config.d_head, all) - config.heads) / 2;
        config.kv_heads = rows("blk.0.attn_k.weight", config.d_head, config.kv_heads);
    }
    detail::read_gguf_options(architecture, section, config);
    detail::read_gguf_windows(architecture, section, config);
    detail::read_gguf_rope(file, architecture, section, config);
    detail::refuse_gguf_options(architecture, section);
    require_valid(config, where);
    return config;
}

}  // namespace plateau::io
