#include <plateau/io/gguf_checkpoint.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
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
    CHECK(config.norm_eps == 1e-5);  // not that of the nearest float
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
    CHECK_THAT(refusal(with("other").number("llama.rope.scaling.factor", 4)),
               contains("\"other\"") && contains("linear"));
    CHECK_THAT(refusal(small_model("llama").number("llama.rope.scaling.attn_factor", 1.2f)), contains("attn_factor"));

    auto const yarn = [&] { return with("yarn").number("llama.rope.scaling.factor", 4); };
    CHECK(config_of(yarn()).rope.original_context == config_of(yarn()).context);  // as in llama.cpp
    auto const plain = config_of(yarn().integer("llama.rope.scaling.original_context_length", 16)).rope;
    CHECK(plain.kind == rope_kind::yarn);
    CHECK(plain.original_context == 16);
    CHECK(plain.beta_fast == 32);
    CHECK(plain.beta_slow == 1);
    CHECK_THAT(plain.attention_factor, WithinRel(0.1 * std::log(4.0) + 1, 1e-15));
    CHECK_THAT(refusal(yarn()
                           .integer("llama.rope.scaling.original_context_length", 16)
                           .number("llama.rope.scaling.yarn_log_multiplier", 0.1f)),
               contains("yarn_log_multiplier"));
}

TEST_CASE("a value that is no number is told by the name that the file has, too", "[io][gguf][errors]") {
    scratch_dir const dir;
    auto norm = ramp(8);
    norm[3] = std::nanf("");
    auto const path = dir.write("m.gguf", small_model("llama").floats("blk.0.ffn_norm.weight", {8}, norm).bytes());
    gguf_checkpoint const checkpoint{path};
    CHECK_THAT(message_of<plateau::numeric_error>(
                   [&] { checkpoint.read("model.layers.0.post_attention_layernorm.weight", std::span<float>(norm)); }),
               contains("post_attention_layernorm.weight") && contains("in the file \"blk.0.ffn_norm.weight\"") &&
                   contains("flat index 3"));
}

TEST_CASE("LongRoPE of GGUF files", "[io][gguf]") {
    auto const with = [](std::vector<float> const& of_long) {
        return small_model("phi3")
            .integer("phi3.rope.scaling.original_context_length", 16)
            .number("phi3.rope.scaling.attn_factor", 1.25f)
            .floats("rope_factors_long.weight", {of_long.size()}, of_long);
    };
    auto const config = config_of(with({1, 4}).floats("rope_factors_short.weight", {2}, {1, 1.5f}));
    CHECK(config.rope.kind == rope_kind::longrope);
    CHECK(config.rope.short_factors == std::vector<double>{1, 1.5});
    CHECK(config.rope.long_factors == std::vector<double>{1, 4});
    CHECK(config.rope.attention_factor == 1.25);
    CHECK(config.rope.factor == 4);
    CHECK(config.rope.restarts);
    CHECK(config.most_positions() == 64);
    CHECK_THAT(message_of<file_error>([&] { config_of(with({1, 4})); }), contains("rope_factors_short.weight"));
    CHECK_THAT(refusal(with({1, 4, 5})), contains("rope_factors_long.weight") && contains("3 values, expected 2"));
    CHECK_THAT(refusal(with({1, 0})), contains("positive"));
}

TEST_CASE("windows and rotary positions by layer", "[io][gguf]") {
    using indices = std::vector<plateau::index>;
    auto const seven = [](std::string const& architecture) {
        return small_model(architecture, {"block_count"}).integer(architecture + ".block_count", 7);
    };
    auto const gemma3 = config_of(seven("gemma3").integer("gemma3.attention.sliding_window", 5));
    CHECK(gemma3.model_type == "gemma3_text");
    CHECK(gemma3.windows == indices{5, 5, 5, 5, 5, 0, 5});
    CHECK(gemma3.local_rope.theta == 10000);
    CHECK(gemma3.score_cap == 0);
    CHECK(gemma3.logit_cap == 0);
    CHECK(config_of(seven("gemma3")).windows.empty());
    auto const olmo3 = config_of(seven("olmo2")
                                     .integer("olmo2.attention.sliding_window", 5)
                                     .number("olmo2.rope.freq_base", 500)
                                     .number("olmo2.rope.scaling.factor", 4));
    CHECK(olmo3.model_type == "olmo3");
    CHECK(olmo3.windows == indices{5, 5, 5, 0, 5, 5, 5});
    CHECK(olmo3.local_rope.kind == rope_kind::standard);
    CHECK(olmo3.local_rope.theta == 500);
    CHECK(olmo3.rope.kind == rope_kind::linear);
    CHECK(config_of(seven("olmo2")).model_type == "olmo2");
    CHECK(config_of(seven("olmo2")).local_rope.kind == rope_kind::none);
    auto const smollm3 = config_of(seven("smollm3"));
    CHECK(smollm3.unrotated == indices{3});
    CHECK(smollm3.windows.empty());
}

TEST_CASE("rope_freqs.weight divides the rotary frequencies as it is", "[io][gguf]") {
    auto const divided = [](std::vector<float> const& factors) {
        return small_model("llama").floats("rope_freqs.weight", {factors.size()}, factors);
    };
    auto const rope = config_of(divided({1.25f, 7})).rope;
    CHECK(rope.kind == rope_kind::standard);
    CHECK(rope.divisors == std::vector<double>{1.25, 7});
    auto const both =
        config_of(divided({1.25f, 7}).number("llama.rope.scaling.factor", 4)).rope;  // llama.cpp divides by both
    CHECK(both.kind == rope_kind::linear);
    CHECK(both.factor == 4);
    CHECK(both.divisors == std::vector<double>{1.25, 7});
    CHECK(config_of(divided({1, 1})).rope.divisors.empty());
    CHECK_THAT(refusal(divided({1, 2, 3})), contains("3 values, expected 2"));
    for (float bad : {0.0f, -1.0f}) CHECK_THAT(refusal(divided({1, bad})), contains("positive"));
}

TEST_CASE("a part of a head may rotate where the family has that", "[io][gguf]") {
    auto const rotating = [](std::string const& architecture, std::uint32_t count) {
        return small_model(architecture).integer(architecture + ".rope.dimension_count", count);
    };
    auto const config = config_of(rotating("phi3", 2));
    CHECK(config.rope.fraction == 0.5);
    CHECK(config.rope.width(config.d_head) == 2);
    CHECK_THAT(refusal(rotating("qwen2", 2)), contains("qwen2.rope.dimension_count"));
    CHECK_THAT(refusal(rotating("phi3", 6)), contains("phi3.rope.dimension_count"));
    CHECK_THAT(refusal(rotating("phi3", 0)), contains("rotates"));
    // every width of every head survives the fraction
    for (std::uint32_t const width : {26u, 98u, 166u}) {
        for (std::uint32_t part = 2; part <= width; part += 2) {
            auto const found = config_of(small_model("phi3")
                                             .integer("phi3.attention.key_length", width)
                                             .integer("phi3.attention.value_length", width)
                                             .integer("phi3.rope.dimension_count", part));
            CHECK(found.rope.width(found.d_head) == part);
        }
    }
}

TEST_CASE("q, k and v in one tensor are three where the family has three", "[io][gguf]") {
    scratch_dir const folder;
    // q has 8 rows, k and v 4 each; pairs of the rows of q and k are neighbours in the file
    auto const bytes = small_model("llama")
                           .floats("blk.0.attn_qkv.weight", {8, 16}, ramp(128))
                           .floats("blk.0.attn_qkv.bias", {16}, ramp(16));
    gguf_checkpoint const checkpoint{folder.write("model.gguf", bytes.bytes())};
    CHECK(checkpoint.config().qkv_bias);
    auto const bias_of = [&](std::string const& part, std::size_t rows) {
        std::vector<float> values(rows);
        checkpoint.read("model.layers.0.self_attn." + part + "_proj.bias", std::span<float>(values));
        return values;
    };
    CHECK(bias_of("q", 8) == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
    CHECK(bias_of("k", 4) == std::vector<float>{8, 10, 9, 11});
    CHECK(bias_of("v", 4) == std::vector<float>{12, 13, 14, 15});
    std::vector<float> row(8);
    checkpoint.read_rows("model.layers.0.self_attn.k_proj.weight", 1, 1, std::span<float>(row));
    CHECK(row.front() == 80);
    auto const misshaped =
        folder.write("other.gguf", small_model("llama").floats("blk.0.attn_qkv.weight", {8, 12}, ramp(96)).bytes());
    CHECK_THAT(message_of<config_error>([&] { gguf_checkpoint{misshaped}; }),
               contains("blk.0.attn_qkv.weight") && contains("[12, 8], expected 16 rows"));
}

TEST_CASE("of OLMo the converter moves the rows of weights alone", "[io][gguf]") {
    scratch_dir const folder;
    auto const bytes = small_model("olmo")
                           .number("olmo.attention.layer_norm_epsilon", 1e-5f)
                           .floats("blk.0.attn_k.weight", {8, 4}, ramp(32))
                           .floats("blk.0.attn_k.bias", {4}, ramp(4));
    gguf_checkpoint const checkpoint{folder.write("model.gguf", bytes.bytes())};
    CHECK_FALSE(checkpoint.config().norm_weights);
    std::vector<float> bias(4), row(8);
    checkpoint.read("model.layers.0.self_attn.k_proj.bias", std::span<float>(bias));
    CHECK(bias == ramp(4));
    checkpoint.read_rows("model.layers.0.self_attn.k_proj.weight", 1, 1, std::span<float>(row));
    CHECK(row.front() == 16);
}

TEST_CASE("sizes that the converter assumes are those of the tensors", "[io][gguf]") {
    auto const file = [] {
        return small_model("phi2")
            .number("phi2.attention.layer_norm_epsilon", 1e-5f)
            .floats("blk.0.ffn_up.weight", {8, 20}, ramp(160))
            .floats("blk.0.attn_k.weight", {8, 8}, ramp(64));
    };
    auto const config = config_of(file());
    CHECK(config.d_mlp == 20);
    CHECK(config.kv_heads == 2);
    auto const plain = [] { return small_model("phi2").number("phi2.attention.layer_norm_epsilon", 1e-5f); };
    CHECK(config_of(plain()).d_mlp == 12);
    CHECK(config_of(plain().floats("blk.0.attn_qkv.weight", {8, 24}, ramp(192))).kv_heads == 2);
    CHECK(config_of(small_model("llama").floats("blk.0.ffn_up.weight", {8, 20}, ramp(160))).d_mlp == 12);
}

TEST_CASE("files that hold no model say what they are", "[io][gguf][bad-input]") {
    CHECK_THAT(refusal(small_model("llama").text("general.type", "adapter")), contains("adapter") && contains("merge"));
    CHECK_THAT(refusal(small_model("llama").text("general.type", "mmproj")), contains("mmproj"));
    CHECK_THAT(refusal(small_model("clip")), contains("mmproj"));
    CHECK_THAT(refusal(small_model("llama").text("general.type", "imatrix")), contains("\"imatrix\""));
    CHECK_THAT(message_of<file_error>([] { config_of(small_model("llama", {"embedding"})); }),
               contains("vocabulary alone"));
    CHECK(refusal(small_model("llama").text("general.type", "model")) == "NO EXCEPTION");
}

TEST_CASE("what an architecture needs of a file", "[io][gguf][bad-input]") {
    for (std::string const architecture : {"gpt2", "gptneox", "phi2", "olmo"}) {  // those with LayerNorm
        CHECK_THAT(refusal(small_model(architecture)), contains(architecture + ".attention.layer_norm_epsilon"));
    }
    CHECK_THAT(refusal(small_model("gptneox").number("gptneox.attention.layer_norm_epsilon", 1e-5f)),
               contains("\"gptneox.use_parallel_residual\" is missing"));
    CHECK_THAT(refusal(small_model("phi2")
                           .number("phi2.attention.layer_norm_epsilon", 1e-5f)
                           .boolean("phi2.use_parallel_residual", false)),
               contains("use_parallel_residual"));
    CHECK_THAT(refusal(small_model("opt")), contains("llama.cpp has none for OPT"));
    // Gemma-2 without its caps and window has those of llama.cpp
    auto const gemma2 = config_of(small_model("gemma2"));
    CHECK(gemma2.score_cap == 50);
    CHECK(gemma2.logit_cap == 30);
    CHECK(gemma2.windows == std::vector<plateau::index>{4096});
    CHECK_FALSE(gemma2.score_scale.has_value());
    auto const largest = config_of(small_model("gemma2", {"block_count"}).integer("gemma2.block_count", 46));
    CHECK(largest.score_scale == 0.5);  // of D/H = 4
    CHECK(config_of(small_model("phi3").integer("phi3.attention.sliding_window", 5)).windows ==
          std::vector<plateau::index>{5});
    CHECK(config_of(small_model("phi3").integer("phi3.attention.sliding_window", 0)).windows.empty());
}

TEST_CASE("configurations that are refused", "[io][gguf][bad-input]") {
    CHECK(refusal(small_model("llama")) == "NO EXCEPTION");
    CHECK_THAT(refusal(gguf_bytes{}), contains("general.architecture"));
    CHECK_THAT(refusal(small_model("mamba")), contains("\"mamba\"") && contains("llama, qwen2, qwen3"));
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
    CHECK(refusal(small_model("llama").integer("llama.expert_count", 0)) == "NO EXCEPTION");
    for (std::string const key : {"attention.scale", "residual_scale", "logit_scale", "attn_logit_softcapping",
                                  "attention.clamp_kqv", "attention.temperature_scale", "rope.freq_base_swa"}) {
        CHECK_THAT(refusal(small_model("llama").number("llama." + key, 0.5f)), contains("\"llama." + key + "\""));
    }
    CHECK_THAT(refusal(small_model("llama").boolean("llama.attention.causal", false)), contains("attention.causal"));
    CHECK(refusal(small_model("llama").boolean("llama.attention.causal", true)) == "NO EXCEPTION");
    CHECK_THAT(refusal(small_model("llama").integer("llama.attention.sliding_window", 32)), contains("sliding_window"));
    CHECK_THAT(refusal(small_model("llama").number("llama.rope.freq_base", -1)), contains("RoPE base"));
    CHECK_THAT(refusal(small_model("llama", {"embedding"}).floats("token_embd.weight", {8}, ramp(8))),
               contains("token_embd.weight"));
    CHECK_THAT(message_of<file_error>([] { config_of(small_model("llama", {"embedding"})); }),
               contains("token_embd.weight"));
}
