#include <plateau/models/open.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>

#include <plateau/engine/load.hpp>

#include "support/catch.hpp"
#include "support/memory.hpp"
#include "support/random.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace {

using plateau::index;
namespace models = plateau::models;
using context = plateau::backend::cpu_context;
using plateau::testing::contains;

template <class T>
plateau::model<T> load(std::filesystem::path const& path, int threads = 1, bool bf16 = false) {
    return plateau::load<T>(path, {.backend = {.threads = threads}, .bf16 = bf16});
}

/// The weights of a checkpoint, to look at.
template <class T>
models::transformer<context, T> transformer_of(std::filesystem::path const& path, int threads = 1,
                                               plateau::dtype storage = plateau::dtype_of<T>) {
    auto const opened = models::open<T>(path);
    return models::assemble<context, T>(context{threads}, opened.config, *opened.weights, storage);
}

struct damaged {
    tiny::checkpoint checkpoint{5};
    plateau::testing::scratch_dir folder;

    auto load() {
        checkpoint.write(folder.path());
        return ::load<float>(folder.path());
    }
    auto transformer() {
        checkpoint.write(folder.path());
        return transformer_of<float>(folder.path());
    }
};

TEST_CASE("a whole checkpoint loads", "[models][load]") {
    damaged d;
    auto const model = d.load();
    CHECK(model.layers() == 3);
    CHECK(model.vocabulary() == 37);
    CHECK(model.context_length() == 64);
    auto const transformer = d.transformer();
    CHECK(transformer.embedding != transformer.unembedding);
}

TEST_CASE("names with and without the prefix load", "[models][load]") {
    damaged d;
    std::map<std::string, tiny::stored_tensor> bare;
    for (auto const& [name, tensor] : d.checkpoint.tensors)
        bare[name.starts_with("model.") ? name.substr(6) : name] = tensor;
    d.checkpoint.tensors = bare;
    CHECK(d.load().layers() == 3);
}

TEST_CASE("a tied head may be stored twice, once, or under its other name alone", "[models][load]") {
    damaged d;
    d.checkpoint.tied = true;
    auto const embedding = d.checkpoint.tensors.at("model.embed_tokens.weight");
    SECTION("twice, the same: one matrix") {
        d.checkpoint.tensors["lm_head.weight"] = embedding;
        auto const model = d.transformer();
        CHECK(model.embedding == model.unembedding);
        CHECK((*model.embedding)(1, 2) == embedding.values[1 * 24 + 2]);
        CHECK(d.load().notices.empty());
    }
    SECTION("twice, and they differ: two, with a line") {
        auto& head = d.checkpoint.tensors["lm_head.weight"];
        head = embedding;
        head.values.back() += 1;
        auto const model = d.transformer();
        CHECK((*model.embedding)(36, 23) == embedding.values.back());
        CHECK((*model.unembedding)(36, 23) == embedding.values.back() + 1);
        CHECK_THAT(d.load().notices,
                   contains("ties") && contains("lm_head.weight") && contains(d.folder.path().string()));
        CHECK(plateau::load<float>(d.folder.path(), {.weights = plateau::weights::random}).notices.empty());
    }
    SECTION("shuffled, what is stored decides") {
        d.checkpoint.tensors["lm_head.weight"] = embedding;
        d.checkpoint.write(d.folder.path());
        CHECK(plateau::load<float>(d.folder.path(), {.weights = plateau::weights::shuffled}).notices.empty());
    }
    SECTION("twice, in another shape") {
        d.checkpoint.tensors["lm_head.weight"].shape = {24, 37};
        CHECK_THROWS_WITH(d.load(), contains("lm_head.weight has shape [24, 37]"));
    }
    SECTION("as the embedding") {
        d.checkpoint.tensors.erase("lm_head.weight");
        CHECK(d.load().vocabulary() == 37);
    }
    SECTION("as the head") {
        d.checkpoint.tensors["lm_head.weight"] = embedding;
        d.checkpoint.tensors.erase("model.embed_tokens.weight");
        auto const model = d.transformer();
        CHECK((*model.embedding)(36, 23) == embedding.values.back());
    }
}

/// The same tensors under other names.
std::map<std::string, tiny::stored_tensor> renamed(damaged const& d,
                                                   std::function<std::string(std::string)> const& how) {
    std::map<std::string, tiny::stored_tensor> all;
    for (auto const& [name, tensor] : d.checkpoint.tensors) all[how(name)] = tensor;
    return all;
}

TEST_CASE("names that torch.compile and wrappers leave load, with a line where one was passed over", "[models][load]") {
    damaged d;
    auto const expected = d.load().logits({1, 2, 3});
    auto const same = [&] {
        auto const model = d.load();
        auto const logits = model.logits({1, 2, 3});
        CHECK(std::equal(logits.flat().begin(), logits.flat().end(), expected.flat().begin()));
        return model.notices;
    };
    for (std::string const prefix :
         {"model.", "base_model.", "base_model.model.", "pretrained_model.", "language_model."}) {
        CAPTURE(prefix);
        auto const before = d.checkpoint.tensors;
        d.checkpoint.tensors = renamed(d, [&](auto const& name) { return prefix + name; });
        CHECK(same().empty());
        d.checkpoint.tensors = before;
    }
    for (std::string const prefix : {"_orig_mod.", "module.", "module._orig_mod.", "_fsdp_wrapped_module."}) {
        CAPTURE(prefix);
        auto const before = d.checkpoint.tensors;
        d.checkpoint.tensors = renamed(d, [&](auto const& name) { return prefix + name; });
        CHECK_THAT(same(), contains("wrapper") && contains(prefix.substr(prefix.rfind('_', prefix.size() - 2) + 1)));
        d.checkpoint.tensors = before;
    }
    for (std::string const prefix : {"net.", "_forward_module.", "model.model.", "actor."}) {
        CAPTURE(prefix);
        auto const before = d.checkpoint.tensors;
        d.checkpoint.tensors = renamed(d, [&](auto const& name) { return prefix + name; });
        CHECK_THAT(same(), contains("begin with " + prefix + ", which is passed over"));
        d.checkpoint.tensors = before;
    }
    SECTION("two models") {
        auto const other = renamed(d, [&](auto const& name) { return "reference." + name; });
        d.checkpoint.tensors = renamed(d, [&](auto const& name) { return "policy." + name; });
        d.checkpoint.tensors.insert(other.begin(), other.end());
        CHECK_THROWS_WITH(d.load(), contains("more than one model") && contains("policy. and reference."));
    }
    SECTION("within a name") {
        d.checkpoint.tensors = renamed(d, [](std::string name) {
            auto const at = name.find("self_attn.");
            return at == std::string::npos ? name : name.insert(at, "_checkpoint_wrapped_module.");
        });
        CHECK_THAT(same(), contains("_checkpoint_wrapped_module."));
    }
    SECTION("a name that only looks so stays") {
        d.checkpoint.tensors["model.submodule.weight"] = {{1}, {1}};
        CHECK_THROWS_WITH(d.load(), contains("model.submodule.weight"));
    }
    SECTION("two tensors of one name then") {
        d.checkpoint.tensors["module.lm_head.weight"] = d.checkpoint.tensors["lm_head.weight"];
        CHECK_THROWS_WITH(d.load(), contains("lm_head.weight") && contains("twice"));
    }
}

TEST_CASE("the text part of a model of text and more loads under each of its names", "[models][load]") {
    damaged d;
    auto const expected = d.load().logits({4, 5});
    auto& tensors = d.checkpoint.tensors;
    // as published, as transformers 5 has it in memory, as SmolVLM
    std::string const part = GENERATE("", "model.language_model", "model.text_model");
    if (part.empty()) {
        tensors = renamed(d, [](auto const& name) { return "language_model." + name; });
        tensors["vision_tower.weight"] = tensors["multi_modal_projector.bias"] = {{2}, {1, 2}};
    } else {
        tensors =
            renamed(d, [&](auto const& name) { return name.starts_with("model.") ? part + name.substr(5) : name; });
        tensors["model.vision_tower.weight"] = tensors["model.multi_modal_projector.bias"] = {{2}, {1, 2}};
    }
    d.checkpoint.write(d.folder.path());
    CHECK_THROWS_WITH(load<float>(d.folder.path()), contains("no place"));  // of a Llama they are in the way
    tiny::write_text(d.folder / "config.json",
                     "{\"model_type\": \"llava\", \"text_config\": " + d.checkpoint.config() + "}");
    auto const model = load<float>(d.folder.path());
    auto const logits = model.logits({4, 5});
    CHECK(std::equal(logits.flat().begin(), logits.flat().end(), expected.flat().begin()));
    CHECK_THAT(model.notices, contains("llava") && contains("2 tensors"));
}

TEST_CASE("heads of other tasks feed nothing, with a line", "[models][load]") {
    damaged d;
    for (auto const* name : {"v_head.summary.weight", "v_head.summary.bias", "score.weight", "model.v_head.weight"})
        d.checkpoint.tensors[name] = {{1}, {1}};
    CHECK_THROWS_WITH(d.load(), contains("no place for the tensors model.v_head.weight:"));
    d.checkpoint.tensors.erase("model.v_head.weight");
    CHECK_THAT(d.load().notices, contains("score.weight, v_head.summary.bias, v_head.summary.weight are of a head"));
}

TEST_CASE("a quantised model loads where its weights are plain numbers, and is refused by name", "[models][load]") {
    damaged d;
    auto const load_as = [&](std::string const& method) {
        d.checkpoint.write(d.folder.path());
        auto config = d.checkpoint.config();
        if (!method.empty()) config.insert(1, "\"quantization_config\": {\"quant_method\": \"" + method + "\"}, ");
        tiny::write_text(d.folder / "config.json", config);
        return ::load<float>(d.folder.path());
    };
    CHECK_THAT(load_as("gguf").notices, contains("quantization_config") && contains("gguf"));
    CHECK_THAT(load_as("bitsandbytes").notices, contains("bitsandbytes"));
    for (auto const* method : {"bitnet", "quanto", "new"})
        CHECK_THROWS_WITH(load_as(method), contains(method) && contains("take the key out of config.json"));
    auto& tensors = d.checkpoint.tensors;
    std::string const gone = "model.layers.0.self_attn.o_proj.weight";
    auto const was = tensors.at(gone);
    auto const replace_by = [&](std::string const& suffix) {
        tensors.erase(gone);
        tensors[gone.substr(0, gone.size() - 7) + suffix] = was;
    };
    SECTION("by the configuration") {
        tensors.erase(gone);
        CHECK_THROWS_WITH(load_as("gptq"),
                          contains(gone + " is missing") && contains("gptq") && contains("hf download"));
        CHECK_THROWS_WITH(load_as("bitsandbytes"), contains("bitsandbytes") && contains("dequantize()"));
        CHECK_THROWS_WITH(load_as("fp8"), contains("fp8") && contains("FineGrainedFP8Config(dequantize=True)"));
        CHECK_NOTHROW(models::open<float>(d.folder.path(), false));  // its weights are not wanted
    }
    SECTION("a later one") {
        tensors.erase("model.layers.2.mlp.up_proj.weight");
        CHECK_THROWS_WITH(load_as("awq"), contains("model.layers.2.mlp.up_proj.weight is missing") && contains("awq"));
    }
    SECTION("by the names that are there") {
        replace_by(".qweight");
        CHECK_THROWS_WITH(load_as(""), contains(gone + " is missing") && contains("gptq"));
    }
    SECTION("packed") {
        replace_by(".weight_packed");
        CHECK_THROWS_WITH(load_as(""), contains("compressed-tensors"));
    }
    SECTION("an adapter that was not merged") {
        replace_by(".base_layer.weight");
        tensors["model.layers.0.self_attn.o_proj.lora_A.weight"] = {{1}, {1}};
        CHECK_THROWS_WITH(load_as(""), contains("merge_and_unload()"));
    }
    SECTION("what else PEFT leaves") {
        for (std::string const name :
             {"model.layers.0.self_attn.k_proj.ia3_l.default", "lm_head.modules_to_save.default.weight",
              "model.layers.0.mlp.up_proj.lora_magnitude_vector.default.weight"}) {
            tensors[name] = {{1}, {1}};
            CHECK_THROWS_WITH(load_as(""), contains("PEFT") && contains(name) && contains("merge_and_unload()"));
            tensors.erase(name);
        }
        tensors["prompt_encoder.default.embedding.weight"] = {{1}, {1}};
        CHECK_THROWS_WITH(load_as(""), contains("a prompt that PEFT learned"));
    }
    SECTION("by tensors beside plain ones") {
        for (std::string const end :
             {".weight_scale_inv", ".weight_scale", ".input_scale", ".SCB", ".weight.quant_map"}) {
            auto const name = "model.layers.0.mlp.up_proj" + end;
            tensors[name] = {{1}, {1}};
            CHECK_THROWS_WITH(load_as(""), contains("quantised") && contains(name) && contains("hf download"));
            tensors.erase(name);
        }
    }
    SECTION("stored as other numbers") {
        tensors["model.layers.0.self_attn.o_proj.SCB"] = {{1}, {1}};
        CHECK_THROWS(load_as(""));
        auto named = plateau::testing::bytes_of(d.folder / "model.safetensors");
        tiny::write_text(d.folder / "model.safetensors", named.replace(named.find("F32", named.find(gone)), 3, "I32"));
        CHECK_THROWS_WITH(::load<float>(d.folder.path()), contains("as by bitsandbytes"));
        tensors.erase("model.layers.0.self_attn.o_proj.SCB");
        load_as("fp8");
        auto bytes = plateau::testing::bytes_of(d.folder / "model.safetensors");
        auto const at = bytes.find("F32", bytes.find(gone));
        tiny::write_text(d.folder / "model.safetensors", bytes.replace(at, 3, "I32"));
        CHECK_THROWS_WITH(::load<float>(d.folder.path()), contains("fp8") && contains(gone + " is stored as I32"));
    }
}

TEST_CASE("legacy buffers are passed over", "[models][load]") {
    damaged d;
    d.checkpoint.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {{3}, {1, 2, 3}};
    CHECK_NOTHROW(d.load());
}

TEST_CASE("a checkpoint that does not fit its configuration names the tensor", "[models][load][errors]") {
    damaged d;
    auto& tensors = d.checkpoint.tensors;
    SECTION("missing") {
        tensors.erase("model.layers.1.mlp.up_proj.weight");
        CHECK_THROWS_WITH(d.load(), contains("model.layers.1.mlp.up_proj.weight is missing"));
    }
    SECTION("missing head") {
        tensors.erase("lm_head.weight");
        CHECK_THROWS_WITH(d.load(), contains("lm_head.weight is missing") && contains("AutoModelForCausalLM"));
        tensors["score.weight"] = {{1}, {1}};
        CHECK_THROWS_WITH(d.load(), contains("score.weight is of another head"));
    }
    SECTION("another family") {
        for (index layer = 0; layer < 3; ++layer)
            tensors.erase("model.layers." + std::to_string(layer) + ".self_attn.o_proj.weight");
        CHECK_THROWS_WITH(d.load(), contains("family"));
    }
    SECTION("misshaped") {
        tensors["model.layers.2.self_attn.k_proj.weight"].shape = {24, 12};
        CHECK_THROWS_WITH(
            d.load(), contains("model.layers.2.self_attn.k_proj.weight has shape [24, 12]") && contains("[12, 24]"));
    }
    SECTION("misshaped vector") {
        tensors["model.norm.weight"].shape = {24, 1};
        CHECK_THROWS_WITH(d.load(), contains("model.norm.weight has shape [24, 1]"));
    }
    SECTION("extra") {
        tensors["model.layers.0.self_attn.q_norm.weight"] = {{6}, {1, 1, 1, 1, 1, 1}};
        CHECK_THROWS_WITH(d.load(), contains("no place for the tensors model.layers.0.self_attn.q_norm.weight"));
    }
    SECTION("a layer too many") {
        d.checkpoint.layers = 2;
        CHECK_THROWS_WITH(d.load(), contains("model.layers.2.") && contains("more"));
    }
    SECTION("not finite") {
        float const bad = GENERATE(std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN());
        tensors["model.layers.1.mlp.down_proj.weight"].values[7] = bad;
        CHECK_THROWS_AS(d.load(), plateau::numeric_error);
        CHECK_THROWS_WITH(d.load(), contains("model.layers.1.mlp.down_proj.weight"));
    }
}

/// The same with a vocabulary of several pieces for the loader, and a head of its own.
struct large_vocabulary : damaged {
    large_vocabulary() {
        checkpoint.vocab = 300;
        for (auto const* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
            auto const values = plateau::testing::random_vector<float>(300 * 24, 17 + std::strlen(name));
            checkpoint.tensors[name] = {{300, 24}, values};
        }
    }
};

template <class T>
std::vector<std::byte> bytes_of(plateau::backend::linear_weight<T> const& weight) {
    std::vector<std::byte> bytes;
    for (index p = 0; p < weight.panels(); ++p) {
        auto const* const first = weight.is_bf16() ? reinterpret_cast<std::byte const*>(weight.panel_pairs(p))
                                                   : reinterpret_cast<std::byte const*>(weight.panel(p));
        std::size_t const size = weight.is_bf16() ? static_cast<std::size_t>((weight.inputs() + 1) / 2) * 64 * 4
                                                  : static_cast<std::size_t>(weight.inputs()) * 64 * sizeof(T);
        bytes.insert(bytes.end(), first, first + size);
    }
    return bytes;
}

template <class T>
std::vector<std::byte> bytes_of(models::transformer<context, T> const& model) {
    std::vector<std::byte> all;
    auto const add = [&](auto const& weight) {
        auto const bytes = bytes_of(weight);
        all.insert(all.end(), bytes.begin(), bytes.end());
    };
    add(*model.embedding);
    add(*model.unembedding);
    for (auto const& block : model.blocks) {
        auto const& a = block.attention.part;
        auto const& f = block.mlp.part;
        for (auto const* layer : {&a.query, &a.key, &a.value, &a.output, &f.gate, &f.in, &f.out}) add(layer->weight);
    }
    return all;
}

TEMPLATE_TEST_CASE("every number of threads loads the same bits, those of the file", "[models][load]", float, double) {
    large_vocabulary const d;
    d.checkpoint.write(d.folder.path());
    auto const storage = GENERATE(plateau::dtype_of<TestType>, plateau::dtype::bf16);
    if (std::is_same_v<TestType, double> && storage == plateau::dtype::bf16) return;
    auto const loaded = [&](int threads) { return transformer_of<TestType>(d.folder.path(), threads, storage); };
    auto const one = loaded(1);
    for (auto const* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
        auto const& stored = d.checkpoint.tensors.at(name).values;
        auto const& weight = name[0] == 'm' ? *one.embedding : *one.unembedding;
        bool same = true;
        for (index n = 0; n < 300; ++n) {
            for (index k = 0; k < 24; ++k) {
                float const value = stored[static_cast<std::size_t>(n * 24 + k)];
                float const expected = weight.is_bf16() ? static_cast<float>(plateau::bfloat16{value}) : value;
                same = same && weight(n, k) == static_cast<TestType>(expected);
            }
        }
        CHECK(same);
    }
    for (int threads : {2, 3, 16}) CHECK(bytes_of(loaded(threads)) == bytes_of(one));
}

TEST_CASE("of several values that are not finite the first one is named, whatever the threads",
          "[models][load][errors]") {
    large_vocabulary d;
    auto& tensors = d.checkpoint.tensors;
    auto const infinity = std::numeric_limits<float>::infinity();
    tensors["lm_head.weight"].values[250 * 24 + 5] = infinity;
    tensors["lm_head.weight"].values[70 * 24 + 3] = infinity;
    tensors["model.layers.0.self_attn.q_proj.weight"].values[0] = infinity;
    tensors["model.layers.2.mlp.down_proj.weight"].values[1] = infinity;
    d.checkpoint.write(d.folder.path());
    for (int round = 0; round < 10; ++round) {
        for (int threads : {1, 2, 5}) {
            CHECK_THROWS_WITH(load<float>(d.folder.path(), threads),
                              contains("lm_head.weight") && contains("flat index 1683 ") && contains("fp32"));
        }
    }
    CHECK_THROWS_WITH(load<float>(d.folder.path(), 2, true),
                      contains("lm_head.weight") && contains("flat index 1683 ") && contains("bf16"));
}

/// A checkpoint whose one large matrix, the tied embedding, is `rows` long; written without ever being in memory.
void write_with_large_embedding(std::filesystem::path const& folder, index rows) {
    tiny::checkpoint checkpoint{5};
    checkpoint.tied = true;
    checkpoint.tensors.erase("lm_head.weight");
    checkpoint.vocab = 1;
    checkpoint.tensors["model.embed_tokens.weight"] = {{1, 24}, std::vector<float>(24, 0.5f)};
    checkpoint.write(folder);
    // the embedding comes first in the file, so that its one row is the first of the data: repeat it
    std::string const small = plateau::testing::bytes_of(folder / "model.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, small.data(), sizeof length);
    std::string const data = small.substr(sizeof length + length), row = data.substr(0, 96);
    std::string header = "{", rest = data.substr(96);
    std::size_t begin = 0;
    for (auto const& [name, tensor] : checkpoint.tensors) {
        bool const large = name == "model.embed_tokens.weight";
        std::string shape = large ? std::to_string(rows) + ",24" : "";
        for (std::size_t i = 0; i < tensor.shape.size() && !large; ++i)
            shape += (i > 0 ? "," : "") + std::to_string(tensor.shape[i]);
        std::size_t const bytes = large ? static_cast<std::size_t>(rows) * 96 : tensor.values.size() * 4;
        header += (header.size() > 1 ? ",\"" : "\"") + name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape +
                  "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(begin + bytes) + "]}";
        begin += bytes;
    }
    header += "}";
    length = header.size();
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<char const*>(&length), sizeof length) << header;
    for (index i = 0; i < rows; ++i) file << row;
    file << rest;
    checkpoint.vocab = rows;
    tiny::write_text(folder / "config.json", checkpoint.config());
}

TEST_CASE("loading takes the memory of the packed weights and little more", "[models][load][memory]") {
    if (!plateau::testing::memory_is_measurable) {
        WARN("a sanitizer keeps memory of its own");
        return;
    }
    plateau::testing::scratch_dir const folder;
    index const rows = 64 * 10'000;
    write_with_large_embedding(folder.path(), rows);
    auto const storage = GENERATE(plateau::dtype::f32, plateau::dtype::bf16);
    double const packed = static_cast<double>(rows) * 24 * (storage == plateau::dtype::f32 ? 4 : 2);
    int const threads = GENERATE(1, 3);
    bool right = false;
    double const most = plateau::testing::peak_anonymous_bytes([&] {
        auto model = load<float>(folder.path(), threads, storage == plateau::dtype::bf16);
        right = model.engine().unembedding_of({rows - 1}).rows(0, 23) == 0.5f;
        return model;
    });
    CHECK(right);
    CHECK(most >= 0.95 * packed);  // it was measured
    CHECK(most <= 1.10 * packed + 2e6);
}

TEST_CASE("what is no model says so", "[models][load][errors]") {
    plateau::testing::scratch_dir const folder;
    auto const load = [&](std::filesystem::path const& path) { return ::load<float>(path); };
    CHECK_THROWS_WITH(load(folder / "nothing"), contains("there is no model"));
    CHECK_THROWS_WITH(load(folder.path()), contains("config.json"));
    auto const text = folder.write("file.gguf", "not a model");
    CHECK_THROWS_AS(load(text), plateau::file_error);
    folder.write("config.json", "{\"model_type\": \"mamba\"}");
    CHECK_THROWS_WITH(load(folder.path()), contains("mamba") && contains("llama"));
}

TEST_CASE("a model without a tokenizer says why when text comes", "[models][load][errors]") {
    damaged d;
    auto const model = d.load();
    CHECK(model.tokenizer == nullptr);
    CHECK_THROWS_WITH(model.tokenize("text"), contains("tokenizer.json") && contains("token ids"));
}

}  // namespace
