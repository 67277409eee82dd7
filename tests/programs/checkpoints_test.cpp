// Models that are not whole: each is one message and status 1, from both programs.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// Runs both programs on a folder that must be refused.
void refused(scratch_dir const& dir, std::string const& folder, std::string const& part) {
    CAPTURE(folder);
    auto const tokens = dir / "tokens.npy";
    plateau::io::write_npy(tokens, std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}, {2, 3});
    auto const before = names_in(dir.path());
    fail(1, "stable_regions", {"--model", folder, "--tokens", tokens.string(), "--out", (dir / "out").string()}, part);
    fail(1, "activations", {"--model", folder, "--list"}, part);
    CHECK(names_in(dir.path()) == before);
}

/// A random checkpoint, damaged by `damage`, in a folder of its own.
void refused_after(std::function<void(tiny::checkpoint&)> const& damage, std::string const& part) {
    scratch_dir const dir;
    std::filesystem::create_directory(dir / "model");
    tiny::checkpoint model;
    damage(model);
    model.write(dir / "model");
    refused(dir, (dir / "model").string(), part);
}

TEST_CASE("tensors that do not fit the configuration are refused by name", "[programs][checkpoints]") {
    refused_after([](auto& model) { model.tensors.erase("model.layers.1.mlp.up_proj.weight"); },
                  "model.layers.1.mlp.up_proj.weight");
    refused_after([](auto& model) { model.tensors.erase("lm_head.weight"); }, "lm_head.weight");
    refused_after([](auto& model) { model.tensors.erase("model.norm.weight"); }, "model.norm.weight");
    refused_after(
        [](auto& model) {
        model.tensors.at("model.layers.2.self_attn.k_proj.weight").shape = {24, 12};
        },
        "model.layers.2.self_attn.k_proj.weight");
    refused_after([](auto& model) { model.d_mlp = 41; }, "41");
    refused_after([](auto& model) { model.layers = 2; }, "model.layers.2.");
    refused_after(
        [](auto& model) {
        model.tensors["model.layers.0.self_attn.q_proj.bias"] = {{24}, std::vector<float>(24, 1)};
        },
        "model.layers.0.self_attn.q_proj.bias");
    refused_after([](auto& model) { model.tensors["surprise"] = {{2}, {1, 2}}; }, "surprise");
    for (float const value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        for (std::string const name :
             {"model.layers.0.mlp.gate_proj.weight", "model.norm.weight", "model.embed_tokens.weight"}) {
            refused_after([&](auto& model) { model.tensors.at(name).values.back() = value; }, name);
        }
    }
}

TEST_CASE("folders and files that hold no model are refused", "[programs][checkpoints]") {
    scratch_dir const dir;
    auto const folder = dir / "model";
    std::filesystem::create_directory(folder);
    auto const path = folder.string();
    refused(dir, (dir / "absent").string(), "there is no model at");
    refused(dir, path, "config.json");
    tiny::checkpoint const model;
    model.write(folder);
    auto const whole = bytes_of(folder / "model.safetensors"), config = bytes_of(folder / "config.json");

    std::filesystem::remove(folder / "config.json");
    refused(dir, path, "config.json");
    for (auto const* text :
         {"", "{", "[]", "{}", "\"llama\"", "{\"model_type\": \"mamba\"}", "{\"model_type\": \"llama\"}"}) {
        CAPTURE(text);
        dir.write("model/config.json", text);
        refused(dir, path, "config.json");
    }
    dir.write("model/config.json", config);

    for (auto const size : {std::size_t{0}, std::size_t{4}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
        CAPTURE(size);
        dir.write("model/model.safetensors", whole.substr(0, size));
        refused(dir, path, "model.safetensors");
    }
    dir.write("model/model.safetensors", whole + "x");
    refused(dir, path, "model.safetensors");
    std::filesystem::remove(folder / "model.safetensors");
    refused(dir, path, "safetensors");
    dir.write("model/pytorch_model.bin", "PK");
    refused(dir, path, "pytorch_model.bin");
    dir.write("model/model.safetensors.index.json",
              "{\"weight_map\": {\"model.norm.weight\": \"model-00001-of-00002.safetensors\"}}");
    refused(dir, path, "model-00001-of-00002.safetensors");

    refused(dir, dir.write("model.gguf", "GGUF").string(), "model.gguf");
    refused(dir, dir.write("text.gguf", "this is no model at all, it is text").string(), "text.gguf");
    refused(dir, dir.write("empty.gguf", "").string(), "empty.gguf");
}

TEST_CASE("a model is a folder, a snapshot of links into a cache, or a GGUF file", "[programs][checkpoints]") {
    scratch_dir const dir;
    tiny::checkpoint const model;
    std::filesystem::create_directories(dir / "cache/blobs");
    std::filesystem::create_directories(dir / "cache/snapshots/abc");
    model.write(dir / "cache/blobs");
    for (auto const* name : {"config.json", "model.safetensors"}) {
        std::filesystem::create_symlink(std::string("../../blobs/") + name, dir / "cache/snapshots/abc" / name);
    }
    auto const list = succeed("activations", {"--list", "--model", (dir / "cache/blobs").string()}).out;
    CHECK(succeed("activations", {"--list", "--model", (dir / "cache/snapshots/abc").string()}).out == list);
    CHECK(succeed("activations", {"--list", "--model", (dir / "cache/snapshots/abc/").string()}).out == list);

    auto const gguf = std::string(baked::tests) + "/golden/gguf/tiny_llama.gguf";
    plateau::io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}, {2, 3});
    succeed("stable_regions",
            {"--model", gguf, "--tokens", (dir / "tokens.npy").string(), "--out", (dir / "out").string()});
    CHECK(json_of(dir / "out/summary.json").at("model") == gguf);
}

TEST_CASE("what was passed over or chosen on the way is a line on stderr", "[programs][checkpoints]") {
    scratch_dir const dir;
    tiny::checkpoint model;
    auto const folder = dir / "models--o--m/snapshots/abc1";
    std::filesystem::create_directories(folder);
    dir.write("models--o--m/refs/main", "abc1");
    model.write(folder);
    auto const list = [&](std::filesystem::path const& path) {
        auto const result = run("activations", {"--list", "--model", path.string()});
        CHECK(result.status == 0);
        return result;
    };
    CHECK(list(folder).err.empty());
    auto const above = list(dir / "models--o--m").err;
    CHECK_THAT(above, contains("Hugging Face cache") && contains(folder.string()));
    CHECK(std::count(above.begin(), above.end(), '\n') == 1);
    CHECK(list(dir / "models--o--m/refs/main").err.empty());
    fail(1, "activations", {"--list", "--model", (folder / "model.safetensors").string()}, folder.string());

    model.tensors["v_head.weight"] = {{1}, {1}};
    model.tied = true;
    model.write(folder);
    auto const both = list(folder).err;
    CHECK_THAT(both, contains("v_head.weight") && contains("lm_head.weight is stored too"));
    CHECK(std::count(both.begin(), both.end(), '\n') == 2);
}

TEST_CASE("a value that overflows on its way is an error that names the layer and the pair",
          "[programs][checkpoints]") {
    scratch_dir const dir;
    plateau::io::write_npy(dir / "tokens.npy", std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}, {2, 3});
    auto const regions = [&](std::string const& part) {
        fail(1, "stable_regions",
             {"--model", (dir / "model").string(), "--tokens", (dir / "tokens.npy").string(), "--read-site",
              "unembed.hook_out", "--out", (dir / "out").string()},
             part);
        CHECK_FALSE(std::filesystem::exists(dir / "out"));
    };
    auto const write = [&](std::string const& name, float factor) {
        tiny::checkpoint model;
        for (float& value : model.tensors.at(name).values) value *= factor;
        std::filesystem::create_directories(dir / "model");
        model.write(dir / "model");
    };
    write("model.layers.2.mlp.down_proj.weight", 1e38f);
    regions("layer 2, pair 0");
    write("lm_head.weight", 1e38f);
    regions("unembed.hook_out is not finite for pair 0");
}

}  // namespace
