#include <plateau/io/gguf_checkpoint.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/gguf_bytes.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;
using plateau::config_error;
using plateau::file_error;
using plateau::norm_kind;
using plateau::shape_error;

namespace {

std::filesystem::path golden(std::string const& name) {
    return std::filesystem::path(baked::tests) / "golden" / "gguf" / name;
}

std::vector<float> ramp(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
    return values;
}

/// Metadata and embedding of a model with D = 8, H = 2, K = 1, E = 4, without the keys that a test leaves out.
gguf_bytes small_model(std::string const& architecture, std::vector<std::string> const& without = {}) {
    gguf_bytes bytes;
    bytes.text("general.architecture", architecture);
    for (auto const& [key, value] :
         std::vector<std::pair<std::string, std::uint32_t>>{{"block_count", 1},
                                                            {"context_length", 64},
                                                            {"embedding_length", 8},
                                                            {"feed_forward_length", 12},
                                                            {"attention.head_count", 2},
                                                            {"attention.head_count_kv", 1}}) {
        if (std::find(without.begin(), without.end(), key) == without.end())
            bytes.integer(architecture + "." + key, value);
    }
    if (std::find(without.begin(), without.end(), "eps") == without.end()) {
        bytes.number(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f);
    }
    if (std::find(without.begin(), without.end(), "embedding") == without.end()) {
        bytes.floats("token_embd.weight", {8, 5}, ramp(40));
    }
    return bytes;
}

model_config config_of(gguf_bytes const& bytes) {
    scratch_dir const folder;
    return config_from_gguf(gguf_file{folder.write("model.gguf", bytes.bytes())});
}

std::string refusal(gguf_bytes const& bytes) {
    return message_of<config_error>([&] { config_of(bytes); });
}

/// The tensor of a llama3 scaling as llama.cpp's converter writes it, in float32.
std::vector<float> llama3_factors(float factor, float low, float high, float original, float theta, int width) {
    std::vector<float> factors;
    for (int i = 0; i < width / 2; ++i) {
        float const frequency = 1.0f / std::pow(theta, static_cast<float>(2 * i) / static_cast<float>(width));
        float const wavelength = 2 * std::numbers::pi_v<float> / frequency;
        if (wavelength < original / high) factors.push_back(1);
        else if (wavelength > original / low) factors.push_back(factor);
        else {
            float const smooth = (original / wavelength - low) / (high - low);
            factors.push_back(1 / ((1 - smooth) / factor + smooth));
        }
    }
    return factors;
}

}  // namespace

TEST_CASE("a Llama file has the tensors, names and row order of Hugging Face", "[io][gguf]") {
    gguf_checkpoint const checkpoint{golden("tiny_llama.gguf")};
    std::string const bytes = bytes_of(golden("tiny_llama.f32"));
    std::vector<std::string> const names{"model.embed_tokens.weight",
                                         "model.layers.0.input_layernorm.weight",
                                         "model.layers.0.mlp.down_proj.weight",
                                         "model.layers.0.mlp.gate_proj.weight",
                                         "model.layers.0.mlp.up_proj.weight",
                                         "model.layers.0.post_attention_layernorm.weight",
                                         "model.layers.0.self_attn.k_proj.bias",
                                         "model.layers.0.self_attn.k_proj.weight",
                                         "model.layers.0.self_attn.o_proj.weight",
                                         "model.layers.0.self_attn.q_proj.bias",
                                         "model.layers.0.self_attn.q_proj.weight",
                                         "model.layers.0.self_attn.v_proj.bias",
                                         "model.layers.0.self_attn.v_proj.weight",
                                         "model.norm.weight"};
    CHECK(checkpoint.names() == names);
    std::size_t at = 0;
    for (auto const& name : names) {
        CAPTURE(name);
        CHECK(checkpoint.contains(name));
        CHECK(checkpoint.info(name).name == name);
        std::vector<float> values(static_cast<std::size_t>(element_count(checkpoint.info(name))));
        checkpoint.read(name, std::span<float>(values));
        REQUIRE(at + values.size() * sizeof(float) <= bytes.size());
        CHECK(std::memcmp(values.data(), bytes.data() + at, values.size() * sizeof(float)) == 0);

        plateau::index const rows = checkpoint.info(name).shape[0];
        auto const width = values.size() / static_cast<std::size_t>(rows);
        for (plateau::index first : {plateau::index{0}, rows / 3, rows - 1}) {
            plateau::index const count = (rows - first + 1) / 2;
            std::vector<float> part(width * static_cast<std::size_t>(count));
            checkpoint.read_rows(name, first, count, std::span<float>(part));
            CHECK(std::memcmp(part.data(), values.data() + static_cast<std::size_t>(first) * width,
                              part.size() * sizeof(float)) == 0);
        }
        std::vector<float> wrong(values.size() + 1);
        CHECK_THROWS_AS(checkpoint.read(name, std::span<float>(wrong)), shape_error);
        CHECK_THROWS_AS(checkpoint.read_rows(name, 0, rows + 1, std::span<float>(wrong)), shape_error);
        CHECK_THROWS_AS(checkpoint.read_rows(name, -1, 1, std::span<float>(wrong).first(width)), shape_error);
        at += values.size() * sizeof(float);
    }
    CHECK(at == bytes.size());
    CHECK_THROWS_AS(checkpoint.info("blk.0.attn_q.weight"), file_error);
}

TEST_CASE("the configuration of a Llama file", "[io][gguf]") {
    auto const config = gguf_checkpoint{golden("tiny_llama.gguf")}.config();
    CHECK(config.model_type == "llama");
    CHECK(config.layers == 1);
    CHECK(config.d_model == 32);
    CHECK(config.heads == 3);
    CHECK(config.kv_heads == 1);
    CHECK(config.d_head == 8);
    CHECK(config.d_mlp == 32);
    CHECK(config.vocab == 340);
    CHECK(config.context == 128);
    CHECK(config.norm == norm_kind::rms);
    CHECK(config.norm_eps == static_cast<double>(1e-5f));
    CHECK(config.gated_mlp);
    CHECK(config.rope.kind == rope_kind::standard);
    CHECK(config.rope.theta == 50000);
    CHECK(config.tied_head);
    CHECK(config.qkv_bias);
    CHECK_FALSE(config.out_bias);
    CHECK_FALSE(config.mlp_bias);
    CHECK(config.bos == std::vector<plateau::token_id>{0});
    CHECK(config.eos == std::vector<plateau::token_id>{1});
}

TEST_CASE("a Qwen2 file keeps its row order", "[io][gguf]") {
    scratch_dir const folder;
    auto bytes = small_model("qwen2")
                     .floats("blk.0.attn_q.weight", {8, 8}, ramp(64))
                     .floats("blk.0.attn_q.bias", {8}, ramp(8))
                     .floats("output.weight", {8, 5}, ramp(40))
                     .floats("blk.0.odd.weight", {1}, {1})
                     .floats("odd", {1}, {1});
    gguf_checkpoint const checkpoint{folder.write("model.gguf", bytes.bytes())};
    CHECK(checkpoint.config().model_type == "qwen2");
    CHECK(checkpoint.config().qkv_bias);
    CHECK_FALSE(checkpoint.config().tied_head);
    CHECK(checkpoint.config().d_head == 4);
    CHECK(checkpoint.config().rope.theta == 10000);
    CHECK(checkpoint.names() == std::vector<std::string>{"blk.0.odd.weight", "lm_head.weight",
                                                         "model.embed_tokens.weight",
                                                         "model.layers.0.self_attn.q_proj.bias",
                                                         "model.layers.0.self_attn.q_proj.weight", "odd"});
    std::vector<float> values(64);
    checkpoint.read("model.layers.0.self_attn.q_proj.weight", std::span<float>(values));
    CHECK(values == ramp(64));
}

TEST_CASE("a misshaped query or key is refused", "[io][gguf][bad-input]") {
    scratch_dir const folder;
    auto const path =
        folder.write("model.gguf", small_model("llama").floats("blk.0.attn_k.weight", {8, 8}, ramp(64)).bytes());
    CHECK_THAT(message_of<config_error>([&] { gguf_checkpoint{path}; }), contains("[8, 8], expected 4 rows"));
}

TEST_CASE("RoPE scalings of GGUF files", "[io][gguf]") {
    auto const with = [](std::string const& type) {
        return small_model("llama").text("llama.rope.scaling.type", type);
    };
    CHECK(config_of(with("none").number("llama.rope.scaling.factor", 4)).rope.kind == rope_kind::standard);
    auto const linear = config_of(with("linear").number("llama.rope.scaling.factor", 4)).rope;
    CHECK(linear.kind == rope_kind::linear);
    CHECK(linear.factor == 4);
    CHECK(config_of(small_model("llama").number("llama.rope.scale_linear", 2)).rope.factor == 2);
    CHECK_THAT(refusal(with("yarn").number("llama.rope.scaling.factor", 4)),
               contains("\"yarn\"") && contains("linear"));

    auto const divided = [](std::vector<float> const& factors) {
        return small_model("llama")
            .integer("llama.attention.key_length", 64)
            .integer("llama.attention.value_length", 64)
            .number("llama.rope.freq_base", 500000)
            .floats("rope_freqs.weight", {factors.size()}, factors);
    };
    for (float factor : {8.0f, 32.0f}) {
        auto const rope = config_of(divided(llama3_factors(factor, 1, 4, 8192, 500000, 64))).rope;
        CHECK(rope.kind == rope_kind::llama3);
        CHECK(rope.factor == static_cast<double>(factor));
        CHECK(rope.low_freq_factor == 1);
        CHECK(rope.high_freq_factor == 4);
        CHECK(rope.original_context == 8192);
    }
    CHECK(config_of(divided(std::vector<float>(32, 1.0f))).rope.kind == rope_kind::standard);
    CHECK_THAT(refusal(divided(llama3_factors(8, 1, 4, 4096, 500000, 64))), contains("llama3"));
    CHECK_THAT(refusal(divided(std::vector<float>(32, 2.0f))), contains("llama3"));
    CHECK_THAT(refusal(divided(std::vector<float>(31, 1.0f))), contains("31 values, expected 32"));
    CHECK_THAT(refusal(divided(std::vector<float>(32, -1.0f))), contains("llama3"));
}

TEST_CASE("configurations that are refused", "[io][gguf][bad-input]") {
    CHECK(refusal(small_model("llama")) == "NO EXCEPTION");
    CHECK_THAT(refusal(gguf_bytes{}), contains("general.architecture"));
    CHECK_THAT(refusal(small_model("mamba")), contains("\"mamba\"") && contains("llama and qwen2"));
    for (std::string key :
         {"block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count"}) {
        CHECK_THAT(refusal(small_model("llama", {key})), contains("\"llama." + key + "\" is missing"));
        CHECK_THAT(refusal(small_model("llama", {key}).integer("llama." + key, 0)), contains("model.gguf"));
        CHECK_THAT(refusal(small_model("llama", {key}).integer("llama." + key, 0xFFFFFFFFu)), contains("model.gguf"));
        CHECK_THAT(refusal(small_model("llama", {key}).raw_pair("llama." + key, 11, little_endian(std::int64_t{-3}))),
                   contains("model.gguf"));
        CHECK_THAT(refusal(small_model("llama", {key}).raw_pair("llama." + key, 10, little_endian(~std::uint64_t{0}))),
                   contains("large"));
        CHECK_THAT(refusal(small_model("llama", {key}).text("llama." + key, "8")), contains("must hold an integer"));
        CHECK_THAT(refusal(small_model("llama", {key}).integers("llama." + key, {1, 2})),
                   contains("must hold an integer"));
    }
    CHECK_THAT(refusal(small_model("llama", {"eps"})), contains("layer_norm_rms_epsilon"));
    CHECK_THAT(refusal(small_model("llama", {"attention.head_count"}).integer("llama.attention.head_count", 3)),
               contains("not divisible"));
    CHECK_THAT(refusal(small_model("llama", {"attention.head_count_kv"}).integer("llama.attention.head_count_kv", 4)),
               contains("not a multiple"));
    CHECK_THAT(
        refusal(small_model("llama").integer("llama.rope.dimension_count", 6).integer("llama.attention.key_length", 4)),
        contains("rope.dimension_count"));
    CHECK_THAT(refusal(small_model("llama").integer("llama.attention.value_length", 2)), contains("value_length"));
    CHECK_THAT(refusal(small_model("llama").integer("llama.expert_count", 8)), contains("expert_count"));
    CHECK_THAT(refusal(small_model("llama").number("llama.attention.scale", 0.5f)), contains("attention.scale"));
    CHECK_THAT(refusal(small_model("llama").boolean("llama.attention.causal", false)), contains("attention.causal"));
    CHECK(refusal(small_model("llama").boolean("llama.attention.causal", true)) == "NO EXCEPTION");
    CHECK_THAT(refusal(small_model("llama").integer("llama.attention.sliding_window", 32)), contains("sliding_window"));
    CHECK_THAT(refusal(small_model("llama").number("llama.rope.freq_base", -1)), contains("RoPE base"));
    CHECK_THAT(refusal(small_model("llama", {"embedding"}).floats("token_embd.weight", {8}, ramp(8))),
               contains("token_embd.weight"));
    CHECK_THAT(message_of<file_error>([] { config_of(small_model("llama", {"embedding"})); }),
               contains("token_embd.weight"));
}
