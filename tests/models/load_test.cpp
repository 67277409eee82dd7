#include <plateau/models/load.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace {

using plateau::index;
namespace models = plateau::models;
using context = plateau::backend::cpu_context;
using plateau::testing::contains;

struct damaged {
    tiny::checkpoint checkpoint{5};
    plateau::testing::scratch_dir folder;

    auto load() {
        checkpoint.write(folder.path());
        return models::load<float>(folder.path(), context{1});
    }
};

TEST_CASE("a whole checkpoint loads", "[models][load]") {
    damaged d;
    auto const model = d.load();
    CHECK(model.layers() == 3);
    CHECK(model.vocabulary() == 37);
    CHECK(model.context_length == 64);
    CHECK(model.embedding != model.unembedding);
}

TEST_CASE("names with and without the prefix load", "[models][load]") {
    damaged d;
    std::map<std::string, tiny::stored_tensor> bare;
    for (auto const& [name, tensor] : d.checkpoint.tensors) bare[name.starts_with("model.") ? name.substr(6) : name] = tensor;
    d.checkpoint.tensors = bare;
    CHECK(d.load().layers() == 3);
}

TEST_CASE("a tied head may be stored twice, once, or under its other name alone", "[models][load]") {
    damaged d;
    d.checkpoint.tied = true;
    auto const embedding = d.checkpoint.tensors.at("model.embed_tokens.weight");
    SECTION("twice: the embedding counts") {
        auto const model = d.load();
        CHECK(model.embedding == model.unembedding);
        CHECK((*model.embedding)(1, 2) == embedding.values[1 * 24 + 2]);
    }
    SECTION("as the embedding") {
        d.checkpoint.tensors.erase("lm_head.weight");
        CHECK(d.load().vocabulary() == 37);
    }
    SECTION("as the head") {
        d.checkpoint.tensors["lm_head.weight"] = embedding;
        d.checkpoint.tensors.erase("model.embed_tokens.weight");
        auto const model = d.load();
        CHECK((*model.embedding)(36, 23) == embedding.values.back());
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
        CHECK_THROWS_WITH(d.load(), contains("lm_head.weight is missing"));
    }
    SECTION("another family") {
        for (index layer = 0; layer < 3; ++layer) tensors.erase("model.layers." + std::to_string(layer) + ".input_layernorm.weight");
        CHECK_THROWS_WITH(d.load(), contains("family"));
    }
    SECTION("misshaped") {
        tensors["model.layers.2.self_attn.k_proj.weight"].shape = {24, 12};
        CHECK_THROWS_WITH(d.load(), contains("model.layers.2.self_attn.k_proj.weight has shape [24, 12]") && contains("[12, 24]"));
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

TEST_CASE("what is no model says so", "[models][load][errors]") {
    plateau::testing::scratch_dir const folder;
    auto const load = [&](std::filesystem::path const& path) { return models::load<float>(path, context{1}); };
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
