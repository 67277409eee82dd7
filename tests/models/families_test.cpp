#include <plateau/models/families.hpp>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::testing;
using namespace plateau::io;
using plateau::activation;
using plateau::config_error;
using plateau::file_error;
using plateau::norm_kind;
using plateau::token_id;
using plateau::models::parse_model_config;

namespace {

// As transformers 5.23 saves them.
std::string const llama_v5 = R"({
  "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 3, "dtype": "float32", "eos_token_id": [4, 5],
  "head_dim": 8, "hidden_act": "silu", "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 48,
  "max_position_embeddings": 2048, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 4,
  "num_hidden_layers": 2, "num_key_value_heads": 2, "pad_token_id": null, "pretraining_tp": 1, "rms_norm_eps": 1e-06,
  "rope_parameters": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                      "original_max_position_embeddings": 64, "rope_theta": 500000.0, "rope_type": "llama3"},
  "tie_word_embeddings": false, "transformers_version": "5.23.0", "use_cache": true, "vocab_size": 64})";

std::string const qwen2_v5 = R"({
  "attention_dropout": 0.0, "bos_token_id": null, "dtype": "float32", "eos_token_id": null, "hidden_act": "silu",
  "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 48,
  "layer_types": ["full_attention", "full_attention"], "max_position_embeddings": 32768, "max_window_layers": 28,
  "model_type": "qwen2", "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
  "pad_token_id": null, "rms_norm_eps": 1e-06, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
  "sliding_window": null, "tie_word_embeddings": false, "transformers_version": "5.23.0", "use_cache": true,
  "use_sliding_window": false, "vocab_size": 64})";

std::string const gpt2_v5 = R"({
  "activation_function": "gelu_new", "add_cross_attention": false, "attn_pdrop": 0.1, "bos_token_id": 50256,
  "dtype": "float32", "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
  "model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_inner": null, "n_layer": 2, "n_positions": 32,
  "pad_token_id": null, "reorder_and_upcast_attn": false, "resid_pdrop": 0.1, "scale_attn_by_inverse_layer_idx": false,
  "scale_attn_weights": true, "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
  "summary_type": "cls_index", "summary_use_proj": true, "tie_word_embeddings": true, "transformers_version": "5.23.0",
  "use_cache": true, "vocab_size": 64})";

// As transformers 4 saved them, cut to what matters.
std::string const llama_v4 = R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "bos_token_id": 1, "eos_token_id": 2,
  "hidden_act": "silu", "hidden_size": 128, "intermediate_size": 384, "max_position_embeddings": 512,
  "mlp_bias": false, "model_type": "llama", "num_attention_heads": 8, "num_hidden_layers": 2, "num_key_value_heads": 4,
  "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 10000.0, "tie_word_embeddings": true,
  "torch_dtype": "float32", "transformers_version": "4.41.2", "use_cache": true, "vocab_size": 2048})";

model_config parse(std::string const& text) { return parse_model_config(text, "config.json"); }

/// The configuration with some top-level keys set to other JSON values; "" removes a key.
std::string with(std::string const& base, std::vector<std::pair<std::string, std::string>> const& changes) {
    auto root = nlohmann::json::parse(base);
    for (auto const& [key, value] : changes) {
        if (value.empty()) root.erase(key);
        else root[key] = nlohmann::json::parse(value);
    }
    return root.dump();
}

std::string complaint(std::string const& text) {
    return message_of<config_error>([&] { parse(text); });
}

std::string complaint(std::string const& base, std::string const& key, std::string const& value) {
    return complaint(with(base, {{key, value}}));
}

}  // namespace

TEST_CASE("Llama, as transformers 5 writes it", "[models][families]") {
    auto const config = parse(llama_v5);
    CHECK(config.model_type == "llama");
    CHECK(config.layers == 2);
    CHECK(config.d_model == 32);
    CHECK(config.heads == 4);
    CHECK(config.kv_heads == 2);
    CHECK(config.d_head == 8);
    CHECK(config.d_mlp == 48);
    CHECK(config.vocab == 64);
    CHECK(config.context == 2048);
    CHECK(config.norm == norm_kind::rms);
    CHECK(config.norm_eps == 1e-6);
    CHECK(config.act == activation::silu);
    CHECK(config.gated_mlp);
    CHECK(config.rope.kind == rope_kind::llama3);
    CHECK(config.rope.theta == 500000.0);
    CHECK(config.rope.factor == 8.0);
    CHECK(config.rope.low_freq_factor == 1.0);
    CHECK(config.rope.high_freq_factor == 4.0);
    CHECK(config.rope.original_context == 64);
    CHECK_FALSE(config.learned_positions);
    CHECK_FALSE(config.tied_head);
    CHECK_FALSE((config.qkv_bias || config.out_bias || config.mlp_bias));
    CHECK(!config.score_scale);
    CHECK(!config.scale_by_inverse_layer);
    CHECK(config.bos == std::vector<token_id>{3});
    CHECK(config.eos == std::vector<token_id>{4, 5});
}

TEST_CASE("Llama, as transformers 4 wrote it", "[models][families]") {
    auto const config = parse(llama_v4);
    CHECK(config.d_head == 16);
    CHECK(config.tied_head);
    CHECK(config.rope.kind == rope_kind::standard);
    CHECK(config.rope.theta == 10000.0);

    // SmolLM2 and Llama 3.2 in the old form.
    auto const scaled =
        parse(with(llama_v4, {{"rope_theta", "500000.0"}, {"rope_scaling", R"({"factor": 32.0, "high_freq_factor": 4.0,
                                                  "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
                                                  "rope_type": "llama3"})"}}));
    CHECK(scaled.rope.kind == rope_kind::llama3);
    CHECK(scaled.rope.theta == 500000.0);
    CHECK(scaled.rope.original_context == 8192);

    auto const linear = parse(with(llama_v4, {{"rope_scaling", R"({"type": "linear", "factor": 2})"}}));
    CHECK(linear.rope.kind == rope_kind::linear);
    CHECK(linear.rope.factor == 2.0);
    CHECK(parse(with(llama_v4, {{"rope_scaling", R"({"type": "default"})"}})).rope.kind == rope_kind::standard);
}

TEST_CASE("Llama's options", "[models][families]") {
    auto const biased = parse(with(llama_v4, {{"attention_bias", "true"}, {"mlp_bias", "true"}}));
    CHECK(biased.qkv_bias);
    CHECK(biased.out_bias);
    CHECK(biased.mlp_bias);
    auto const wide = parse(with(llama_v4, {{"head_dim", "20"}, {"hidden_size", "129"}}));
    CHECK(wide.d_head == 20);
    CHECK(parse(with(llama_v4, {{"head_dim", "null"}})).d_head == 16);

    // What is absent takes the defaults of transformers.
    auto const bare = parse(R"({"model_type": "llama", "hidden_size": 32, "num_hidden_layers": 1,
                                "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 64})");
    CHECK(bare.kv_heads == 4);
    CHECK(bare.context == 2048);
    CHECK(bare.norm_eps == 1e-6);
    CHECK(bare.rope.theta == 10000.0);
    CHECK_FALSE(bare.tied_head);
    CHECK(bare.bos == std::vector<token_id>{1});
    CHECK(bare.eos == std::vector<token_id>{2});

    CHECK(parse(with(llama_v4, {{"hidden_act", "\"gelu\""}})).act == activation::gelu);
    CHECK(parse(with(llama_v4, {{"hidden_act", "\"gelu_pytorch_tanh\""}})).act == activation::gelu_tanh);
    CHECK(parse(with(llama_v4, {{"eos_token_id", "null"}})).eos.empty());
    CHECK(parse(with(llama_v4, {{"eos_token_id", "-1"}})).eos.empty());

    // Keys of both forms: transformers 5 prefers a base within the RoPE parameters.
    CHECK(parse(with(llama_v4, {{"rope_parameters", R"({"rope_theta": 7.0, "rope_type": "default"})"}})).rope.theta ==
          7.0);
    // Without its own, llama3 takes the model's context.
    auto const open = parse(with(
        llama_v4,
        {{"rope_scaling", R"({"rope_type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 4})"}}));
    CHECK(open.rope.original_context == 512);
}

TEST_CASE("Qwen2", "[models][families]") {
    auto const config = parse(qwen2_v5);
    CHECK(config.model_type == "qwen2");
    CHECK(config.qkv_bias);
    CHECK_FALSE((config.out_bias || config.mlp_bias || config.tied_head));
    CHECK(config.bos.empty());
    CHECK(config.eos.empty());
    CHECK(config.context == 32768);
    // Qwen2.5-0.5B in the old form: a window that is switched off, or that no layer reaches, does nothing.
    auto const old = with(qwen2_v5, {{"layer_types", ""},
                                     {"rope_parameters", ""},
                                     {"rope_theta", "1000000.0"},
                                     {"tie_word_embeddings", "true"},
                                     {"sliding_window", "4096"}});
    CHECK(parse(old).rope.theta == 1e6);
    CHECK(parse(old).tied_head);
    using windows = std::vector<plateau::index>;
    CHECK(parse(old).windows.empty());
    auto const used = with(old, {{"use_sliding_window", "true"}});
    CHECK(parse(used).windows.empty());  // "max_window_layers" is 28
    CHECK(parse(with(used, {{"max_window_layers", "1"}, {"sliding_window", "null"}})).windows.empty());
    CHECK(parse(with(used, {{"max_window_layers", "1"}, {"sliding_window", "16"}})).windows == windows{0, 16});
    CHECK(parse(with(used, {{"max_window_layers", "1"}, {"sliding_window", ""}})).windows == windows{0, 4096});
    CHECK_THAT(complaint(used, "sliding_window", "0"), contains("sliding_window"));
    CHECK(parse(with(qwen2_v5, {{"use_sliding_window", "true"},
                                {"sliding_window", "16"},
                                {"layer_types", R"(["sliding_attention", "full_attention"])"}}))
              .windows == windows{16, 0});
    CHECK_THAT(complaint(qwen2_v5, "layer_types", R"(["full_attention"])"), contains("names 1 layers"));
    CHECK_THAT(complaint(qwen2_v5, "layer_types", R"(["linear_attention"])"), contains("linear_attention"));
    CHECK_THAT(complaint(qwen2_v5, "layer_types", R"(["sliding_attention"])"), contains("no length"));
}

TEST_CASE("GPT-2", "[models][families]") {
    auto const config = parse(gpt2_v5);
    CHECK(config.model_type == "gpt2");
    CHECK(config.layers == 2);
    CHECK(config.heads == 4);
    CHECK(config.kv_heads == 4);
    CHECK(config.d_head == 8);
    CHECK(config.d_mlp == 128);
    CHECK(config.context == 32);
    CHECK(config.norm == norm_kind::layer);
    CHECK(config.norm_eps == 1e-5);
    CHECK(config.act == activation::gelu_tanh);
    CHECK_FALSE(config.gated_mlp);
    CHECK(config.rope.kind == rope_kind::none);
    CHECK(config.learned_positions);
    CHECK(config.tied_head);
    CHECK(config.qkv_bias);
    CHECK(config.out_bias);
    CHECK(config.mlp_bias);
    CHECK(!config.score_scale);
    CHECK(!config.scale_by_inverse_layer);
    CHECK(config.bos == std::vector<token_id>{50256});  // beyond the vocabulary, as saved: whoever uses it complains

    auto const other = parse(with(gpt2_v5, {{"n_inner", "100"},
                                            {"activation_function", "\"relu\""},
                                            {"scale_attn_weights", "false"},
                                            {"scale_attn_by_inverse_layer_idx", "true"},
                                            {"tie_word_embeddings", "false"},
                                            {"layer_norm_epsilon", "1e12"}}));
    CHECK(other.d_mlp == 100);
    CHECK(other.act == activation::relu);
    CHECK(other.score_scale == 1);
    CHECK_FALSE(other.tied_head);
    CHECK(other.scale_by_inverse_layer);
    CHECK(other.norm_eps == 1e12);
    CHECK(parse(with(gpt2_v5, {{"tie_word_embeddings", ""}})).tied_head);
    CHECK(parse(with(gpt2_v5, {{"activation_function", "\"gelu\""}})).act == activation::gelu);
    CHECK_THAT(complaint(gpt2_v5, "add_cross_attention", "true"), contains("\"add_cross_attention\""));
}

TEST_CASE("a text that is no configuration is refused", "[models][families]") {
    CHECK_THROWS_AS(parse(""), file_error);
    CHECK_THROWS_AS(parse("{"), file_error);
    CHECK_THROWS_AS(parse("model_type: llama"), file_error);
    CHECK_THROWS_AS(parse("{\"model_type\": \"\xFF\"}"), file_error);
    CHECK_THROWS_AS(parse(R"({"model_type": "llama", "model_type": "gpt2"})"), file_error);
    CHECK_THROWS_AS(parse(std::string(200'000, '[')), file_error);
    CHECK_THAT(complaint("[]"), contains("must be an object"));
    CHECK_THAT(complaint("null"), contains("must be an object"));
    CHECK_THAT(complaint("{}"), contains("config.json") && contains("\"model_type\" is missing"));
    CHECK_THAT(complaint(R"({"architectures": ["LlamaForCausalLM"]})"),
               contains("\"model_type\" is missing") && contains("\"LlamaForCausalLM\": add"));
    CHECK_THAT(complaint(R"({"model_type": 3})"), contains("\"model_type\" must be a string"));
    CHECK_THAT(complaint(R"({"model_type": "mamba"})"),
               contains("\"mamba\" is not supported") && contains("gpt2, gpt_neo, gpt_neox, granite, llama"));
    CHECK_THAT(complaint(R"({"model_type": "llama"})"), contains("is missing"));
}

std::string tiny(std::string const& model_type, std::string const& more = "") {
    return R"({"model_type": ")" + model_type +
           R"(", "num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 48,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64, "max_position_embeddings": 128)" +
           more + "}";
}

TEST_CASE("every family reads what it alone has", "[models][families]") {
    using windows = std::vector<plateau::index>;
    SECTION("GPT-Neo") {
        std::string const base =
            R"({"model_type": "gpt_neo", "num_layers": 3, "hidden_size": 32, "num_heads": 4, "vocab_size": 64)";
        auto const plain = parse(base + "}");
        CHECK(plain.windows == windows{0, 256, 0});
        CHECK(plain.score_scale == 1);
        CHECK(plain.d_mlp == 128);
        CHECK(!plain.qkv_bias);
        CHECK(plain.out_bias);
        CHECK(plain.tied_head);
        auto const given = parse(base + R"(, "window_size": 5, "attention_types": [[["local"], 2], [["global"], 1]]})");
        CHECK(given.windows == windows{5, 5, 0});
        for (auto const* types : {"3", "[3]", "[[[\"global\"]]]", "[[[\"sparse\"], 3]]", "[[[\"global\"], -1]]",
                                  "[[[\"global\"], 99999999]]", "[[\"global\", 3]]"}) {
            CHECK_THAT(complaint(base + R"(, "attention_types": )" + types + "}"), contains("attention_types"));
        }
        CHECK_THAT(complaint(base + R"(, "attention_types": [[["global"], 2]]})"), contains("names 2 layers"));
    }
    SECTION("GPT-NeoX") {
        auto const plain = parse(tiny("gpt_neox"));
        CHECK(plain.parallel);
        CHECK(plain.qkv_bias);
        CHECK(plain.out_bias);
        CHECK(plain.mlp_bias);
        CHECK(!plain.tied_head);
        CHECK(plain.rope.fraction == 0.25);
        CHECK(plain.rope.width(plain.d_head) == 2);
        CHECK(plain.act == activation::gelu);
        auto const v4 =
            parse(tiny("gpt_neox", R"(, "rotary_pct": 0.5, "rotary_emb_base": 500, "use_parallel_residual": false)"));
        CHECK(v4.rope.fraction == 0.5);
        CHECK(v4.rope.theta == 500);
        CHECK(!v4.parallel);
        CHECK(
            parse(tiny("gpt_neox",
                       R"(, "rope_parameters": {"rope_theta": 7, "partial_rotary_factor": 1, "rope_type": "default"})"))
                .rope.fraction == 1);
    }
    SECTION("Mistral") {
        CHECK(parse(tiny("mistral")).windows == windows{4096, 4096});
        CHECK(parse(tiny("mistral", R"(, "sliding_window": null)")).windows.empty());
        CHECK(parse(tiny("mistral", R"(, "sliding_window": 7)")).windows == windows{7, 7});
    }
    SECTION("Qwen3") {
        auto const config = parse(tiny("qwen3"));
        CHECK(config.d_head == 128);
        CHECK(config.qk_norm == qk_norm_kind::per_head);
        CHECK(!config.qkv_bias);
        CHECK(parse(tiny("qwen3", R"(, "head_dim": 8, "attention_bias": true)")).out_bias);
    }
    SECTION("OLMo") {
        auto const config = parse(tiny("olmo", R"(, "clip_qkv": 8.0)"));
        CHECK((config.norm == norm_kind::layer && !config.norm_weights && config.norm_eps == 1e-5 &&
               config.clip_qkv == 8));
        CHECK(parse(tiny("olmo", R"(, "clip_qkv": null)")).clip_qkv == 0);
        CHECK_THAT(complaint(tiny("olmo", R"(, "clip_qkv": -1)")), contains("clip_qkv"));
        CHECK(parse(tiny("olmo2")).qk_norm == qk_norm_kind::whole);
        CHECK(parse(tiny("olmo2")).norm_eps == 1e-5);
    }
    SECTION("Gemma") {
        auto const config = parse(tiny("gemma", R"(, "hidden_act": "gelu")"));
        CHECK((config.act == activation::gelu_tanh && config.norm_offset == 1 && config.d_head == 256 &&
               config.tied_head));
        CHECK_THAT(config.embedding_scale, plateau::testing::WithinAbs(5.656854249492381, 1e-15));
        auto const second = parse(tiny("gemma2"));
        CHECK((second.score_cap == 50 && second.logit_cap == 30 && second.score_scale == 1.0 / 16 &&
               second.windows == windows{4096, 0}));
        auto const without = parse(tiny(
            "gemma2", R"(, "attn_logit_softcapping": null, "final_logit_softcapping": null, "sliding_window": null)"));
        CHECK(without.score_cap == 0);
        CHECK(without.logit_cap == 0);
        CHECK(without.windows.empty());
    }
    SECTION("Phi") {
        auto const config = parse(tiny("phi", R"(, "qk_layernorm": true, "partial_rotary_factor": 0.25)"));
        CHECK((config.parallel && config.head_bias && config.qk_norm == qk_norm_kind::per_head &&
               config.rope.fraction == 0.25));
        CHECK(parse(tiny("phi")).rope.fraction == 0.5);
        CHECK(parse(tiny("phi3", R"(, "sliding_window": 9)")).windows == windows{9, 9});
        CHECK(parse(tiny("phi3")).windows.empty());
    }
    SECTION("OPT") {
        auto const config = parse(tiny(
            "opt",
            R"(, "ffn_dim": 40, "layer_norm_elementwise_affine": false, "enable_bias": false, "_remove_final_layer_norm": true)"));
        CHECK((config.d_mlp == 40 && config.position_offset == 2 && !config.norm_weights && !config.qkv_bias &&
               !config.final_norm));
        CHECK(config.act == activation::relu);
        CHECK(config.norm_eps == 1e-5);
    }
}

TEST_CASE("families of 2025", "[models][families]") {
    using plateau::io::qk_norm_kind;
    using windows = std::vector<plateau::index>;
    SECTION("Gemma-3 as transformers 4 had it") {
        auto const config =
            parse(with(tiny("gemma3_text"), {{"num_hidden_layers", "7"},
                                             {"rope_scaling", R"({"rope_type": "linear", "factor": 8.0})"},
                                             {"rope_theta", "1000000"},
                                             {"rope_local_base_freq", "10000"},
                                             {"sliding_window", "512"}}));
        CHECK(config.windows == windows{512, 512, 512, 512, 512, 0, 512});
        CHECK((config.rope.kind == rope_kind::linear && config.rope.theta == 1e6 && config.rope.factor == 8));
        CHECK((config.local_rope.kind == rope_kind::standard && config.local_rope.theta == 1e4));
        CHECK((config.d_head == 256 && config.norm_offset == 1 && config.tied_head));
        CHECK(config.score_scale == 1.0 / 16);
        CHECK((config.qk_norm == qk_norm_kind::per_head && config.score_cap == 0 && config.logit_cap == 0));
        auto const two = parse(tiny("gemma3_text", R"(, "sliding_window_pattern": 2)"));
        CHECK(two.windows == windows{4096, 0});
        CHECK(two.rope.theta == 1e6);
        auto const refused = [](std::string const& more) { return complaint(tiny("gemma3_text", more)); };
        CHECK_THAT(refused(R"(, "rope_scaling": {"type": "linear", "factor": 8.0})"), contains("write \"rope_type\""));
        CHECK_THAT(refused(R"(, "rope_parameters": {"rope_type": "linear", "factor": 8.0})"),
                   contains("full_attention"));
        CHECK_THAT(refused(R"(, "sliding_window_pattern": 0)"), contains("sliding_window_pattern"));
        CHECK_THAT(refused(R"(, "query_pre_attn_scalar": 0)"), contains("query_pre_attn_scalar"));
    }
    SECTION("OLMo-3") {
        auto const config =
            parse(with(tiny("olmo3"), {{"num_hidden_layers", "5"}, {"rope_parameters", R"({"full_attention":
            {"rope_type": "yarn", "factor": 8.0, "rope_theta": 1e6, "original_max_position_embeddings": 64},
            "sliding_attention": null})"}}));
        CHECK(config.windows == windows{4096, 4096, 4096, 0, 4096});
        CHECK((config.rope.kind == rope_kind::yarn && config.rope.theta == 1e6 && config.rope.original_context == 64));
        CHECK((config.local_rope.kind == rope_kind::standard && config.local_rope.theta == 5e5));
        CHECK(config.qk_norm == qk_norm_kind::whole);
        CHECK(config.most_positions() == 512);
    }
    SECTION("SmolLM3") {
        auto const config = parse(with(tiny("smollm3"), {{"num_hidden_layers", "5"}}));
        CHECK(config.unrotated == windows{3});
        CHECK((config.rope.theta == 2e6 && config.windows.empty() && config.tied_head));
        auto const listed = parse(tiny("smollm3", R"(, "no_rope_layers": [0, 1, 1], "use_sliding_window": true,
                                                     "sliding_window": 9)"));
        CHECK(listed.unrotated == windows{0});
        CHECK(listed.windows == windows{9, 0});
        CHECK_THAT(complaint(tiny("smollm3", R"(, "no_rope_layers": [1])")), contains("names 1 layers"));
        CHECK_THAT(complaint(tiny("smollm3", R"(, "no_rope_layers": [1, "a"])")), contains("list of numbers"));
        CHECK_THAT(complaint(tiny("smollm3", R"(, "no_rope_layer_interval": 0)")), contains("must be positive"));
    }
    SECTION("Granite") {
        auto const config = parse(tiny("granite", R"(, "embedding_multiplier": 12.0, "residual_multiplier": 0.22,
                                                     "attention_multiplier": 0.015625, "logits_scaling": 8)"));
        CHECK((config.embedding_scale == 12 && config.residual_scale == 0.22 && config.logit_scale == 0.125));
        CHECK(config.score_scale == 0.015625);
        CHECK(parse(tiny("granite")).score_scale == 1.0);
        CHECK_THAT(complaint(tiny("granite", R"(, "logits_scaling": 0)")), contains("logits_scaling"));
    }
    SECTION("StableLM") {
        auto const config = parse(tiny("stablelm"));
        CHECK((config.rope.fraction == 0.25 && config.norm == norm_kind::layer && !config.parallel));
        auto const parallel = parse(tiny("stablelm", R"(, "use_parallel_residual": true, "qk_layernorm": true,
                                                        "use_qkv_bias": true)"));
        CHECK((parallel.parallel && parallel.shared_norm && parallel.qkv_bias && !parallel.out_bias));
        CHECK(parallel.qk_norm == qk_norm_kind::own_head);
    }
}

TEST_CASE("what changes the numbers and is not supported is an error that names it", "[models][families]") {
    struct refused {
        std::string config, names;
    };
    std::vector<refused> const all{
        {tiny("mixtral"), "\"mixtral\" is not supported"},
        {tiny("qwen2_moe"), "\"qwen2_moe\" is not supported"},
        {tiny("olmoe"), "\"olmoe\" is not supported"},
        {tiny("granitemoe"), "\"granitemoe\" is not supported"},
        {tiny("bloom"), "\"bloom\" is not supported"},
        {tiny("llama", R"(, "rope_scaling": {"type": "su", "factor": 2.0})"), "type \"su\""},
        {tiny("llama", R"(, "rope_parameters": {"rope_type": "proportional", "rope_theta": 1e4, "factor": 2.0})"),
         "type \"proportional\""},
        {tiny("phi3", R"(, "rope_scaling": {"type": "su", "short_factor": [1.0], "long_factor": [1.0]})"),
         "longrope needs 4 values"},
        {tiny("gpt_neox", R"(, "rope_scaling": {"type": "dynamic", "factor": 2.0})"), "width of more than 2"},
        {tiny("llama", R"(, "partial_rotary_factor": 0.5)"), "\"partial_rotary_factor\" = 0.5"},
        {tiny("qwen2", R"(, "rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5})"),
         "\"partial_rotary_factor\" = 0.5"},
        {tiny("gemma2", R"(, "rope_parameters": {"full_attention": {"rope_theta": 1e4}})"), "per layer type"},
        {tiny("qwen3", R"(, "layer_types": ["chunked_attention", "full_attention"])"), "chunked_attention"},
        {tiny("qwen3", R"(, "layer_types": ["sliding_attention", "full_attention"])"), "no length"},
        {tiny("llama", R"(, "layer_types": ["sliding_attention", "full_attention"])"), "no length"},
        {tiny("llama", R"(, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"])"),
         "take \"layer_types\" out"},
        {tiny("gemma3_text", R"(, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4})"),
         "\"full_attention\": {\"rope_type\": ..."},
        {tiny("llama", R"(, "hidden_act": "quick_gelu")"), "quick_gelu"},
        {tiny("gpt_neox", R"(, "hidden_act": "gelu_10")"), "gelu_10"},
        {tiny("opt", R"(, "do_layer_norm_before": false)"), "do_layer_norm_before"},
        {tiny("opt", R"(, "word_embed_proj_dim": 16)"), "word_embed_proj_dim"},
        {tiny("gemma", R"(, "use_bidirectional_attention": true)"), "use_bidirectional_attention"},
        {tiny("gemma2", R"(, "query_pre_attn_scalar": 0)"), "query_pre_attn_scalar"},
        {tiny("gemma2", R"(, "attn_logit_softcapping": -2.0)"), "soft-cap of the scores"},
        {tiny("gemma2", R"(, "final_logit_softcapping": -2.0)"), "soft-cap of the logits"},
        {tiny("mistral", R"(, "sliding_window": -4)"), "sliding_window"},
        {tiny("phi", R"(, "partial_rotary_factor": 1.5)"), "must be in (0, 1]"},
        {tiny("phi", R"(, "partial_rotary_factor": 0.4)"), "even width"},
        {tiny("llama", R"(, "quantization_config": 4)"), "quantization_config"},
        {tiny("llama", R"(, "is_causal": false)"), "is_causal"},
    };
    for (auto const& [config, names] : all) {
        CAPTURE(config);
        CHECK_THAT(complaint(config), contains(names));
    }
}

TEST_CASE("sizes that no model has are refused", "[models][families]") {
    for (std::string const key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                                  "head_dim", "intermediate_size", "vocab_size", "max_position_embeddings"}) {
        for (std::string const value : {"0", "-1", "-32", "2147483648", "9223372036854775807", "-9223372036854775808",
                                        "18446744073709551615", "1e30", "32.0", "\"32\"", "true", "[32]", "{}"}) {
            CAPTURE(key, value);
            CHECK_THAT(complaint(llama_v5, key, value), contains("config.json"));
        }
    }
    for (std::string const key : {"n_embd", "n_layer", "n_head", "n_inner", "vocab_size", "n_positions"}) {
        for (std::string const value : {"0", "-4", "4294967296", "9223372036854775804", "0.5", "\"4\"", "false"}) {
            CAPTURE(key, value);
            CHECK_THAT(complaint(gpt2_v5, key, value), contains("config.json"));
        }
    }
    for (std::string const key :
         {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}) {
        CHECK_THAT(complaint(llama_v5, key, ""), contains("\"" + key + "\" is missing"));
        CHECK_THAT(complaint(llama_v5, key, "null"), contains("\"" + key + "\" is missing"));
    }
    CHECK_THAT(complaint(llama_v5, "num_hidden_layers", "20000"), contains("absurd"));
    CHECK_THAT(complaint(with(llama_v5, {{"hidden_size", "2147483647"}, {"vocab_size", "2147483647"}})),
               contains("absurd"));
    CHECK_THAT(complaint(with(llama_v5, {{"head_dim", "2147483646"}, {"num_attention_heads", "2147483646"}})),
               contains("absurd"));
    CHECK_THAT(complaint(llama_v5, "num_key_value_heads", "3"), contains("not a multiple"));
    CHECK_THAT(complaint(llama_v4, "num_attention_heads", "7"), contains("not divisible"));
    CHECK_THAT(complaint(llama_v4, "num_attention_heads", "0"), contains("not divisible"));
    CHECK_THAT(complaint(gpt2_v5, "n_head", "5"), contains("not divisible"));
    CHECK_THAT(complaint(llama_v5, "head_dim", "7"), contains("even width"));
    CHECK(parse(with(gpt2_v5, {{"n_embd", "28"}})).d_head == 7);  // without rotary positions that is fine
}

TEST_CASE("values of a wrong kind are refused by name", "[models][families]") {
    CHECK_THAT(complaint(llama_v5, "rms_norm_eps", "0"), contains("epsilon"));
    CHECK_THAT(complaint(llama_v5, "rms_norm_eps", "-1e-6"), contains("epsilon"));
    CHECK_THAT(complaint(llama_v5, "rms_norm_eps", "\"1e-6\""), contains("\"rms_norm_eps\" must be a number"));
    CHECK_THAT(complaint(gpt2_v5, "layer_norm_epsilon", "0.0"), contains("epsilon"));
    CHECK_THAT(complaint(llama_v5, "hidden_act", "1"), contains("\"hidden_act\" must be a string"));
    CHECK_THAT(complaint(llama_v5, "hidden_act", "\"mish\""),
               contains("\"mish\" is not supported") && contains("silu"));
    CHECK_THAT(complaint(gpt2_v5, "activation_function", "\"swiglu\""), contains("\"activation_function\""));
    CHECK_THAT(complaint(llama_v5, "tie_word_embeddings", "\"yes\""), contains("true or false"));
    CHECK_THAT(complaint(llama_v5, "attention_bias", "0"), contains("true or false"));
    CHECK_THAT(complaint(llama_v5, "bos_token_id", "1.5"), contains("token id"));
    CHECK_THAT(complaint(llama_v5, "eos_token_id", "[1, \"2\"]"), contains("token id"));
    CHECK_THAT(complaint(llama_v5, "eos_token_id", "[[1]]"), contains("token id"));
    CHECK_THAT(complaint(llama_v5, "eos_token_id", "2147483648"), contains("token id"));
    CHECK_THAT(complaint(llama_v5, "eos_token_id", "18446744073709551615"), contains("token id"));
    CHECK_THAT(complaint(llama_v5, "layer_types", "3"), contains("\"layer_types\" must be an array"));
}

TEST_CASE("rotary positions that are not supported are refused", "[models][families]") {
    for (std::string const type : {"proportional", "axial", "mrope", "su", ""}) {
        CAPTURE(type);
        CHECK_THAT(complaint(llama_v4, "rope_scaling", "{\"rope_type\": \"" + type + "\", \"factor\": 2.0}"),
                   contains("\"" + type + "\" is not supported") && contains("llama3"));
        CHECK_THAT(complaint(llama_v5, "rope_parameters", "{\"rope_type\": \"" + type + "\", \"factor\": 2.0}"),
                   contains("is not supported"));
    }
    CHECK_THAT(complaint(llama_v4, "rope_scaling", R"({"type": "linear"})"), contains("\"factor\" is missing"));
    CHECK_THAT(complaint(llama_v4, "rope_scaling", R"({"type": "linear", "factor": 0})"),
               contains("factor must be positive"));
    CHECK_THAT(complaint(llama_v4, "rope_scaling", R"({"type": 3})"), contains("must be a string"));
    CHECK_THAT(complaint(llama_v4, "rope_scaling", "\"linear\""), contains("must be an object"));
    CHECK_THAT(complaint(llama_v4, "rope_theta", "0"), contains("RoPE base"));
    CHECK_THAT(complaint(llama_v4, "rope_theta", "\"1e4\""), contains("\"rope_theta\" must be a number"));
    CHECK_THAT(complaint(llama_v4, "partial_rotary_factor", "0.5"), contains("\"partial_rotary_factor\" = 0.5"));
    CHECK_THAT(complaint(llama_v5, "rope_parameters", R"({"full_attention": {"rope_type": "default"}})"),
               contains("per layer type"));
    auto const llama3 = [](std::string const& low, std::string const& high, std::string const& original) {
        return complaint(llama_v4, "rope_scaling",
                         R"({"rope_type": "llama3", "factor": 8, "low_freq_factor": )" + low +
                             ", \"high_freq_factor\": " + high + ", \"original_max_position_embeddings\": " + original +
                             "}");
    };
    CHECK(llama3("1", "4", "8192") == "NO EXCEPTION");
    CHECK_THAT(llama3("4", "4", "8192"), contains("low_freq_factor < high_freq_factor"));
    CHECK_THAT(llama3("0", "4", "8192"), contains("low_freq_factor"));
    CHECK_THAT(llama3("null", "4", "8192"), contains("\"low_freq_factor\" is missing"));
    CHECK_THAT(llama3("1", "4", "0"), contains("original_max_position_embeddings"));
}

TEST_CASE("rotary positions go by the length of a prompt", "[models][families]") {
    auto const scaled = [](std::string const& scaling) { return parse(with(llama_v4, {{"rope_scaling", scaling}})); };
    auto const dynamic = scaled(R"({"type": "dynamic", "factor": 2.0})");
    CHECK(dynamic.rope.kind == rope_kind::dynamic);
    CHECK(dynamic.rope.original_context == 512);
    CHECK(dynamic.context == 512);
    CHECK(dynamic.most_positions() > 100'000);  // it has no end of its own
    auto const yarn = scaled(R"({"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 256})");
    CHECK(yarn.rope.kind == rope_kind::yarn);
    CHECK(yarn.most_positions() == 1024);
    CHECK((yarn.rope.beta_fast == 32 && yarn.rope.beta_slow == 1 && yarn.rope.truncate));
    CHECK(yarn.rope.attention_factor == 0.1 * std::log(4.0) + 1);
    auto const own = scaled(R"({"rope_type": "yarn", "factor": 4, "attention_factor": 0.5, "beta_fast": 8,
                                "beta_slow": 0.5, "truncate": false})");
    CHECK((own.rope.beta_fast == 8 && own.rope.beta_slow == 0.5 && !own.rope.truncate));
    CHECK(own.rope.attention_factor == 0.5);
    CHECK(own.rope.original_context == 512);
    // the factor of the other key, null or absent, is the ratio of the contexts
    auto const mscale = scaled(R"({"type": "yarn", "factor": null, "original_max_position_embeddings": 64,
                                   "mscale": 0.7, "mscale_all_dim": 1.0})");
    CHECK(mscale.rope.factor == 8);
    CHECK(mscale.rope.attention_factor == (0.1 * 0.7 * std::log(8.0) + 1) / (0.1 * std::log(8.0) + 1));
    std::string const ones = "[1, 1.5, 2, 2, 2, 2, 2, 2]",
                      factors = "\"short_factor\": " + ones + ", \"long_factor\": ";
    auto const longrope =
        scaled("{\"type\": \"longrope\", \"original_max_position_embeddings\": 128, " + factors + ones + "}");
    CHECK(longrope.rope.kind == rope_kind::longrope);
    CHECK(longrope.rope.short_factors == std::vector<double>{1, 1.5, 2, 2, 2, 2, 2, 2});
    CHECK(longrope.rope.original_context == 128);
    CHECK(longrope.rope.attention_factor == std::sqrt(1 + std::log(4.0) / std::log(128.0)));
    CHECK_FALSE(longrope.rope.restarts);
    auto const refused = [](std::string const& scaling) { return complaint(llama_v4, "rope_scaling", scaling); };
    CHECK_THAT(refused("{\"type\": \"longrope\", " + factors + "[1]}"), contains("8 values") && contains("found 1"));
    CHECK_THAT(refused("{\"type\": \"longrope\", " + factors + "[1, \"2\"]}"),
               contains("\"long_factor\" must be a list"));
    CHECK_THAT(refused("{\"type\": \"longrope\", " + factors + "[1, 1, 1, 0, 1, 1, 1, 1]}"),
               contains("positive factors"));
    CHECK_THAT(refused(R"({"type": "longrope"})"), contains("\"short_factor\""));
    CHECK_THAT(refused(R"({"type": "dynamic"})"), contains("\"factor\" is missing"));
    CHECK_THAT(refused(R"({"type": "yarn", "factor": 2, "beta_fast": -1})"), contains("betas"));
    CHECK_THAT(refused(R"({"type": "yarn", "factor": 2, "original_max_position_embeddings": 0})"),
               contains("original_max_position_embeddings"));
}

TEST_CASE("options that would change the numbers are refused by name", "[models][families]") {
    for (auto const& base : {llama_v4, llama_v5, qwen2_v5, gpt2_v5}) {
        CHECK_THAT(complaint(base, "is_causal", "false"), contains("is_causal"));
        CHECK_THAT(complaint(base, "is_encoder_decoder", "true"), contains("is_encoder_decoder"));
        CHECK_THAT(complaint(base, "pruned_heads", R"({"0": [1]})"), contains("pruned_heads"));
        CHECK(complaint(base, "pruned_heads", "{}") == "NO EXCEPTION");
        CHECK(complaint(base, "quantization_config", "null") == "NO EXCEPTION");
        CHECK(complaint(base, "something_new", "[1, 2]") == "NO EXCEPTION");
    }
}

TEST_CASE("numbers that are not finite are refused under a key that is read, by its name", "[models][families]") {
    auto const with_value = [](std::string const& key, std::string const& value) {
        auto text = with(llama_v5, {{key, "\"HERE\""}});
        return complaint(text.replace(text.find("\"HERE\""), 6, value));
    };
    for (auto const* value : {"Infinity", "-Infinity", "NaN", R"({"__float__": "Infinity"})", "[0.0, Infinity]"}) {
        CHECK(with_value("time_step_limit", value) == "NO EXCEPTION");
        CHECK_THAT(with_value("rms_norm_eps", value), contains("\"rms_norm_eps\" must be a number, found"));
    }
    CHECK_THAT(with_value("bos_token_id", "NaN"), contains("bos_token_id") && contains("NaN"));
}

TEST_CASE("how a model is quantised is kept by name", "[models][families]") {
    auto const method = [](std::string const& key, std::string const& value) {
        return parse(with(llama_v5, {{key, value}})).quantization;
    };
    CHECK(method("quantization_config", "null").empty());
    CHECK(method("quantization_config", R"({"quant_method": "gptq", "bits": 4})") == "gptq");
    CHECK(method("quantization_config", R"({"load_in_4bit": true})") == "bitsandbytes");
    CHECK(method("quantization_config", R"({"bits": 4})") == "unknown");
    CHECK(method("compression_config", R"({"quant_method": "compressed-tensors"})") == "compressed-tensors");
}

TEST_CASE("of a model of text and more the text part is read", "[models][families]") {
    std::string const whole = R"({"model_type": "llava", "vision_config": {"hidden_size": 7}, "text_config": )";
    auto const plain = parse(whole + llama_v5 + "}");
    CHECK(plain.model_type == "llama");
    CHECK(plain.text_of == "llava");
    CHECK(plain.d_model == 32);
    CHECK_FALSE(plain.tied_head);
    CHECK(parse(whole + llama_v5 + R"(, "tie_word_embeddings": true})").tied_head);  // the whole decides
    CHECK(parse(whole + llama_v5 + R"(, "quantization_config": {"quant_method": "awq"}})").quantization == "awq");
    CHECK(parse(with(llama_v5, {{"text_config", qwen2_v5}})).text_of.empty());  // a known family is read itself
    CHECK_THAT(complaint(whole + R"({"model_type": "mamba"}})"), contains("text_config") && contains("mamba"));
    CHECK_THAT(complaint(whole + R"({"hidden_size": 7}})"),
               contains("text_config") && contains("\"model_type\" is missing"));
    CHECK_THAT(complaint(whole + "[]}"), contains("llava"));
}

// As the classes of transformers 5.24 have it.
TEST_CASE("the class of a model of text and more ties its unembedding, or lets the text do so", "[models][families]") {
    auto const tied = [](std::string const& whole, std::string const& text, std::string const& rest) {
        return parse(R"({"model_type": ")" + whole + R"(", "text_config": )" +
                     with(llama_v5, {{"tie_word_embeddings", text}}) + rest + "}")
            .tied_head;
    };
    std::string const no = R"(, "tie_word_embeddings": false)";
    CHECK(tied("mistral3", "false", ""));
    CHECK(tied("internvl", "false", ""));
    CHECK_FALSE(tied("llava", "false", ""));
    CHECK_FALSE(tied("mistral3", "true", no));
    CHECK_FALSE(tied("llava_next", "true", no));
    CHECK(tied("llava", "true", no));
    CHECK_FALSE(tied("llava", "false", no));
}

// As lmsys/vicuna in LLaVA-1.5 and Gemma-3 4B are released; the classes of transformers 5.24 have the rest.
TEST_CASE("sizes that a text part lacks are those of its class", "[models][families]") {
    auto const llava = parse(R"({"model_type": "llava", "text_config": {"max_position_embeddings": 4096,
        "model_type": "llama", "rms_norm_eps": 1e-05, "vocab_size": 32064}})");
    CHECK(llava.layers == 32);
    CHECK(llava.d_model == 4096);
    CHECK(llava.heads == 32);
    CHECK(llava.kv_heads == 32);
    CHECK(llava.d_head == 128);
    CHECK(llava.d_mlp == 11008);
    CHECK(llava.vocab == 32064);
    auto const gemma3 = parse(R"({"model_type": "gemma3", "text_config": {"hidden_size": 2560,
        "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}})");
    CHECK(gemma3.layers == 34);
    CHECK(gemma3.heads == 8);
    CHECK(gemma3.kv_heads == 4);
    CHECK(gemma3.d_head == 256);
    CHECK(gemma3.vocab == 262208);
    CHECK(gemma3.d_mlp == 10240);
    auto const kv_heads = [](std::string const& rest) {
        return parse(R"({"model_type": "internvl", "text_config": {"num_attention_heads": 64, "model_type": )" + rest +
                     "}}")
            .kv_heads;
    };
    CHECK(kv_heads(R"("qwen2")") == 32);
    CHECK(kv_heads(R"("qwen2", "num_key_value_heads": null)") == 64);
    CHECK(kv_heads(R"("llama")") == 64);
    CHECK_THAT(complaint(R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text",
                             "num_hidden_layers": null}})"),
               contains("num_hidden_layers"));
    CHECK_THAT(complaint(R"({"model_type": "llama", "vocab_size": 32064})"), contains("num_hidden_layers"));
}

TEST_CASE("no damage of a character crashes the parser", "[models][families]") {
    std::mt19937 random{2};
    for (auto const& base : {llama_v5, qwen2_v5, gpt2_v5}) {
        for (int i = 0; i < 1000; ++i) {
            std::string damaged = base;
            damaged[random() % damaged.size()] =
                random() % 2 ? static_cast<char>(random()) : "0123456789[]{},:\"-e."[random() % 20];
            CHECK_FALSE(message_of<plateau::error>([&] { parse(damaged); }).starts_with("ANOTHER"));
        }
    }
}
