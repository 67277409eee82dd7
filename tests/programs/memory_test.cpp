// --memory: weights that do not fit pass layer by layer, and leave the same files; the least that does is named.

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// A model of some MiB with many layers, of random weights.
std::string config_file(scratch_dir const& dir) {
    return dir
        .write("config.json",
               R"({"model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_hidden_layers": 12, "vocab_size": 500, "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": false})")
        .string();
}

TEST_CASE("weights that memory does not hold pass layer by layer and leave the same files", "[programs][memory]") {
    scratch_dir const dir;
    auto const tokens = write_tokens<std::int64_t>(dir / "tokens.npy", {{3, 5, 7, 9}, {3, 6, 7, 8}, {11, 6, 4, 2}});
    words const all{"--weights", "random", "--config", config_file(dir), "--tokens", tokens,
                    "--steps",   "7",      "--kl",     "--threads",      "2"};
    auto const with = [&](words more) {
        more.insert(more.begin(), all.begin(), all.end());
        return more;
    };
    succeed("stable_regions", with({"--out", dir / "whole"}));

    auto const refused = run("stable_regions", with({"--out", dir / "none", "--memory", "9M"}));
    CHECK(refused.status == 1);
    CHECK_THAT(refused.err, contains("does not fit into 9 MiB") && contains("give at least --memory "));
    CHECK_FALSE(std::filesystem::exists(dir / "none"));
    auto const at = refused.err.find("--memory ") + 9;
    auto const least = refused.err.substr(at, refused.err.find('M', at) - at + 1);

    auto const passed = run("stable_regions", with({"--out", dir / "turns", "--memory", least}));
    CAPTURE(least, passed.err);
    REQUIRE(passed.status == 0);
    CHECK_THAT(passed.err, contains("pass layer by layer") && contains("to compute with") && contains("1 wave") &&
                               contains("of weights were read"));
    check_same_files(dir / "whole", dir / "turns");
    index const megabytes = std::stol(least);
    CHECK(json_of(dir / "turns" / "summary.json").at("peak_memory") <= megabytes << 20);

    succeed("stable_regions", with({"--out", dir / "whole", "--memory", "4G"}));  // it fits: nothing to say
}

TEST_CASE("amounts of memory and configurations that make no sense are refused", "[programs][memory]") {
    scratch_dir const dir;
    auto const tokens = write_tokens<std::int64_t>(dir / "tokens.npy", {{3, 5, 7}, {3, 6, 7}});
    auto const config = config_file(dir);
    fail(2, "stable_regions", {"--model", golden_model("gpt2"), "--tokens", tokens, "--memory", "6GB"}, "such as 6G");
    fail(2, "stable_regions", {"--model", golden_model("gpt2"), "--tokens", tokens, "--memory", "0"}, "--memory 0");
    fail(2, "stable_regions", {"--config", config, "--tokens", tokens}, "--weights");
    fail(2, "stable_regions", {"--model", golden_model("gpt2"), "--weights", "random", "--config", config}, "--model");
    fail(1, "stable_regions", {"--weights", "shuffled", "--config", config, "--tokens", tokens}, "one file");
}

}  // namespace
