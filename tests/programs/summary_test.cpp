// What summary.json has of every program: which weights, which rotary positions, how it was computed.

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// Of a model of tests/golden: see make_weights_hashes.py there.
nlohmann::json by_hashlib(std::string const& name) {
    return json_of(std::string(baked::tests) + "/golden/weights_sha256.json").at(name);
}

nlohmann::json summary_of(std::filesystem::path const& out, std::string const& model, words const& more = {}) {
    auto const tokens = write_tokens<std::int64_t>(out.parent_path() / "tokens.npy", {{3, 5, 7}, {3, 6, 7}});
    words all{"--model", model, "--tokens", tokens, "--steps", "3", "--out", out.string()};
    all.insert(all.end(), more.begin(), more.end());
    succeed("stable_regions", all);
    return json_of(out / "summary.json");
}

TEST_CASE("a summary tells weights, rotary positions and how it was computed", "[programs][summary]") {
    scratch_dir const dir;
    auto const llama = summary_of(dir / "out", golden_model("llama3_rope"));
    CHECK(llama.at("weights_sha256") == by_hashlib("models/llama3_rope"));
    CHECK(llama.at("rope").at("type") == "llama3");
    CHECK(llama.at("rope").at("theta") == 1000);
    CHECK(llama.at("rope").at("dimensions") == 8);
    CHECK(llama.at("rope").at("factors").size() == 4);
    CHECK(llama.at("float_products") == "fp32");
    CHECK(llama.at("peak_memory") > 1 << 20);
    CHECK(llama.at("ranks") == 1);
    CHECK(llama.at("resumed_points") == 0);
    CHECK_FALSE(llama.contains("checkpoint_weights_sha256"));

    auto const gpt2 = summary_of(dir / "out", golden_model("gpt2"));
    CHECK(gpt2.at("weights_sha256") == by_hashlib("models/gpt2"));
    CHECK(gpt2.at("rope").is_null());
    auto const gguf = summary_of(dir / "out", std::string(baked::tests) + "/golden/gguf/tiny_llama.gguf");
    CHECK(gguf.at("weights_sha256") == by_hashlib("gguf/tiny_llama.gguf"));
    auto const shards = summary_of(dir / "out", golden_model("llama_sharded"), {"--dtype", "bf16", "--threads", "2"});
    CHECK(shards.at("weights_sha256") == by_hashlib("models/llama_sharded"));
}

TEST_CASE("baselines have the hash of what is stored, drawn ones none", "[programs][summary]") {
    scratch_dir const dir;
    auto const model = golden_model("llama_gqa");
    auto const shuffled = summary_of(dir / "out", model, {"--weights", "shuffled"});
    CHECK(shuffled.at("weights_sha256") == by_hashlib("models/llama_gqa"));
    auto const random = summary_of(dir / "out", model, {"--weights", "random"});
    CHECK(random.at("weights_sha256").is_null());
    CHECK(random.at("rope").at("type") == "default");
}

TEST_CASE("two checkpoints of the same weights are named, and all have their hash", "[programs][summary]") {
    scratch_dir const dir;
    tiny::checkpoint const model{3}, another{4};
    words names{"step-1", "step-2", "step-3", "step-4"};
    std::string all;
    for (auto const& name : names) {
        std::filesystem::create_directory(dir / name);
        (name == "step-2" ? another : model).write(dir / name);
        all += (all.empty() ? "" : ",") + (dir / name).string();
    }
    auto const tokens =
        write_tokens(dir / "tokens.npy", tiny::random_prompts(5, std::vector<plateau::index>(6, 5), model.vocab));
    auto const same = [&](std::string const& a, std::string const& b) {
        return "the checkpoints " + (dir / a).string() + " and " + (dir / b).string() + " have the same weights\n";
    };
    for (auto const& [program, more] :
         {std::pair{"emergence", words{"--resamples", "20", "--steps", "5"}}, {"slice_2d", words{"--grid", "3"}}}) {
        CAPTURE(program);
        words arguments{"--checkpoints", all, "--tokens", tokens, "--out", (dir / program).string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto const result = run(program, arguments);
        CHECK(result.status == 0);
        CHECK_THAT(result.err, contains(same("step-1", "step-3") + same("step-1", "step-4")));
        CHECK(result.err.find("step-2 ") == std::string::npos);
        auto const summary = json_of(dir / program / "summary.json");
        auto const hashes = summary.at("checkpoint_weights_sha256");
        REQUIRE(hashes.size() == 4);
        CHECK(hashes[0].get<std::string>().size() == 64);
        CHECK(hashes[0] != hashes[1]);
        CHECK(hashes[0] == hashes[2]);
        CHECK(summary.at("weights_sha256") == hashes[3]);

        arguments.insert(arguments.end(), {"--weights", "random"});
        auto const drawn = succeed(program, arguments);  // what is drawn is stored nowhere: no line
        CHECK(json_of(dir / program / "summary.json").at("checkpoint_weights_sha256") == nlohmann::json(4, nullptr));
    }
}

TEST_CASE("every --help tells the keys of all summaries", "[programs][summary]") {
    for (auto const* program : {"stable_regions", "emergence", "slice_2d", "evaluate", "generate", "derivatives"}) {
        auto const help = succeed(program, {"--help"}).out;
        for (auto const* key : {"weights_sha256", "rope", "checkpoint_weights_sha256", "float_products", "peak_memory",
                                "ranks", "resumed_points"})
            CHECK_THAT(help, contains(key));
    }
}

}  // namespace
