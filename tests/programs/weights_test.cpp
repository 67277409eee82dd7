// --weights: every program with the baselines of a model.

#include <cstdint>

#include <plateau/engine/load.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");

std::string distances(std::filesystem::path const& out, words const& more) {
    words all{"--model", model, "--tokens", model + "/tokens.npy", "--steps", "5", "--out", out.string()};
    all.insert(all.end(), more.begin(), more.end());
    succeed("stable_regions", all);
    return bytes_of(out / "distances.npy");
}

TEST_CASE("--weights takes the models of the library", "[programs][weights]") {
    scratch_dir const dir;
    auto const curves = [&](plateau::weights weights) {
        auto const loaded = plateau::load<double>(model, {.backend = {.threads = 1}, .weights = weights, .seed = 4});
        plateau::prompt_list prompts;
        auto const tokens = read_npy<std::int64_t>(model + "/tokens.npy");
        for (index i = 0; i < tokens.shape[0]; ++i)
            prompts.emplace_back(tokens.values.begin() + i * tokens.shape[1],
                                 tokens.values.begin() + (i + 1) * tokens.shape[1]);
        std::vector<plateau::sweep::prompt_pair> pairs;
        for (index i = 0; i + 1 < tokens.shape[0]; ++i) pairs.push_back({i, i + 1});
        auto const all = plateau::sweep::interpolate(loaded, prompts, pairs, 5);
        return std::vector<double>(all.distances.flat().begin(), all.distances.flat().end());
    };
    auto const stored = distances(dir / "out", {});
    CHECK(distances(dir / "out", {"--weights", "stored", "--seed", "4"}) == stored);
    words const in_double{"--dtype", "fp64", "--seed", "4", "--weights"};  // in double no compiler flag changes a bit
    auto const run = [&](std::string const& weights) {
        auto all = in_double;
        all.push_back(weights);
        distances(dir / "out", all);
        return read_npy<double>(dir / "out/distances.npy").values;
    };
    CHECK(run("stored") == curves(plateau::weights::stored));
    CHECK(run("random") == curves(plateau::weights::random));
    CHECK(run("shuffled") == curves(plateau::weights::shuffled));
    auto const summary = json_of(dir / "out/summary.json");
    CHECK(summary.at("options").at("--weights") == "shuffled");
    CHECK(summary.at("seed") == 4);
}

TEST_CASE("--weights with any seed, dtype and number of threads", "[programs][weights]") {
    scratch_dir const dir;
    for (std::string const weights : {"random", "shuffled"}) {
        for (std::string const dtype : {"fp32", "fp64", "bf16"}) {
            CAPTURE(weights, dtype);
            auto const run = [&](std::string const& seed, std::string const& threads) {
                return distances(dir / ("out" + threads),
                                 {"--weights", weights, "--dtype", dtype, "--seed", seed, "--threads", threads});
            };
            auto const one = run("1", "1");
            CHECK(run("1", "3") == one);
            check_same_files(dir / "out1", dir / "out3");
            CHECK(run("2", "1") != one);
        }
    }
}

TEST_CASE("random weights need config.json alone, shuffled ones the checkpoint", "[programs][weights]") {
    scratch_dir const dir;
    std::filesystem::create_directory(dir / "model");
    std::filesystem::copy_file(model + "/config.json", dir / "model/config.json");
    words const common{
        "--model", (dir / "model").string(), "--tokens", model + "/tokens.npy", "--steps", "5", "--seed", "4",
        "--out",   (dir / "out").string()};
    auto const with = [&](std::string const& weights) {
        auto all = common;
        all.insert(all.end(), {"--weights", weights});
        return all;
    };
    succeed("stable_regions", with("random"));
    CHECK(bytes_of(dir / "out/distances.npy") == distances(dir / "whole", {"--weights", "random", "--seed", "4"}));
    std::filesystem::remove_all(dir / "out");
    fail(1, "stable_regions", with("shuffled"), "safetensors");
    fail(1, "stable_regions", with("stored"), "safetensors");
    CHECK_FALSE(std::filesystem::exists(dir / "out"));
}

TEST_CASE("every program has --weights", "[programs][weights]") {
    scratch_dir const dir;
    auto const text_model = write_text_model(dir / "model");
    auto const text = dir.write("text.txt", "The plateau lies high above the valley").string();
    auto const tokens = write_tokens<std::int64_t>(dir / "tokens.npy", {{3, 5, 7}, {3, 6, 7}});
    auto const told_apart = [&](std::string const& program, words const& arguments) {
        CAPTURE(program);
        CHECK_THAT(succeed(program, {"--help"}).out,
                   contains("--weights") && contains("baseline") && contains("config.json"));
        std::set<std::string> outputs;
        for (auto const* weights : {"stored", "random", "shuffled"}) {
            words all{"--model", text_model, "--weights", weights, "--seed", "5"};
            all.insert(all.end(), arguments.begin(), arguments.end());
            outputs.insert(succeed(program, all).out);
        }
        CHECK(outputs.size() == 3);
    };
    told_apart("generate", {"--prompt", "The plateau", "--max-new-tokens", "8", "--ignore-eos"});
    told_apart("evaluate", {"--text", text});
    told_apart("activation_patching",
               {"--tokens", tokens, "--answer", "id:7", "--wrong", "id:9", "--out", (dir / "out").string()});
    fail(2, "generate", {"--model", text_model, "--weights", "noise", "--prompt", "a"}, "--weights");
}

}  // namespace
