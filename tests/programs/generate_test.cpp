// The program generate: its text, its files, and what it refuses.

#include <cstdint>

#include <plateau/engine/generate.hpp>
#include <plateau/engine/load.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::io::write_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;
namespace engine = plateau::engine;

std::string const prompt = "The plateau lies high";

plateau::model<float> loaded_from(std::string const& model) {
    return plateau::load<float>(model, {.backend = {.threads = 1}});
}

/// What the library writes after the prompt.
engine::generated written_by_library(std::string const& model, engine::generate_options how,
                                     plateau::hooks::hook_set<float> const& set = {}) {
    auto const loaded = loaded_from(model);
    how.stop = loaded.config.eos;
    return engine::generate(loaded.engine(), {loaded.tokenize(prompt)}, how, set)[0];
}

/// The model's vocabulary is larger than its tokenizer's: an id without a token has no text.
std::string decoded(std::string const& model, std::vector<plateau::token_id> const& ids) {
    auto const loaded = loaded_from(model);
    auto all = loaded.tokenize(prompt);
    std::size_t const before = loaded.tokenizer->decode(all).size();
    for (auto const id : ids) {
        if (id < loaded.tokenizer->size()) all.push_back(id);  // together: a character may be several tokens
    }
    return loaded.tokenizer->decode(all).substr(before);
}

TEST_CASE("generate prints the prompt and what the library writes after it", "[programs][generate]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    words const common{"--model", model, "--prompt", prompt, "--ignore-eos", "--max-new-tokens", "12"};
    auto const expect = [&](words more, engine::sampling how, std::uint64_t seed) {
        auto all = common;
        all.insert(all.end(), more.begin(), more.end());
        auto const loaded = loaded_from(model);
        auto const text = engine::generate(loaded.engine(), {loaded.tokenize(prompt)},
                                           {.max_new_tokens = 12, .choose = how, .seed = seed})[0];
        auto const continuation = decoded(model, text.tokens);
        CHECK(succeed("generate", all).out == prompt + continuation + "\n");
        all.push_back("--only-new");
        CHECK(succeed("generate", all).out == continuation + "\n");
    };
    expect({}, {}, 0);
    expect({"--seed", "9"}, {}, 0);
    expect({"--temperature", "0", "--top-k", "5"}, {}, 0);
    expect({"--temperature", "1.5", "--seed", "3"}, {.temperature = 1.5}, 3);
    expect({"--top-k", "5", "--seed", "3"}, {.temperature = 1, .top_k = 5}, 3);
    expect({"--temperature", "2", "--top-k", "7", "--seed", "4", "--threads", "1"}, {.temperature = 2, .top_k = 7}, 4);
}

TEST_CASE("generate leaves tokens and a summary, the same for any number of threads", "[programs][generate]") {
    scratch_dir const dir;
    auto const model = golden_model("llama_gqa");  // has no tokenizer: ids are printed
    std::vector<std::vector<std::int64_t>> const prompts{{3, 5, 7}, {11, 2, 1}, {3, 5, 7}};
    auto const tokens = write_tokens(dir / "tokens.npy", prompts);
    auto const run = [&](std::string const& name, std::string const& threads) {
        return succeed("generate",
                       {"--model", model, "--tokens", tokens, "--max-new-tokens", "6", "--temperature", "1", "--seed",
                        "2", "--ignore-eos", "--threads", threads, "--out", (dir / name).string()});
    };
    auto const one = run("one", "1"), many = run("many", "3");
    CHECK(one.out == many.out);
    check_same_files(dir / "one", dir / "many");
    CHECK(names_in(dir / "one") == std::set<std::string>{"prompt_lengths.npy", "summary.json", "tokens.npy"});
    auto const written = read_npy<std::int64_t>(dir / "one/tokens.npy");
    REQUIRE(written.shape == std::vector<index>{3, 9});
    std::string expected;
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t t = 0; t < 9; ++t) {
            expected += (t > 0 ? " " : i > 0 ? "---\n" : "") + std::to_string(written.values[i * 9 + t]);
            if (t < 3) CHECK(written.values[i * 9 + t] == prompts[i][t]);
        }
        expected += '\n';
    }
    CHECK(one.out == expected);
    CHECK(read_npy<std::int64_t>(dir / "one/prompt_lengths.npy").values == std::vector<std::int64_t>{3, 3, 3});
    auto const summary = json_of(dir / "one/summary.json");
    CHECK(summary.at("program") == "generate");
    CHECK(summary.at("seed") == 2);
    CHECK(summary.at("prompts") == 3);
    CHECK(summary.at("new_tokens") == 18);
    CHECK(summary.at("stopped") == 0);
    CHECK(summary.at("options").at("--max-new-tokens") == "6");
}

TEST_CASE("a text ends where the model says, or its generation_config.json", "[programs][generate]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const free_run = written_by_library(model, {.max_new_tokens = 12, .choose = {.temperature = 1}, .seed = 3});
    REQUIRE(free_run.tokens.size() > 6);
    auto const eos = free_run.tokens[5];
    dir.write("model/generation_config.json", "{\"eos_token_id\": [399, " + std::to_string(eos) + "]}");
    words const arguments{"--model", model,           "--prompt", prompt,   "--max-new-tokens",
                          "12",      "--temperature", "1",        "--seed", "3"};
    auto const end = std::find(free_run.tokens.begin(), free_run.tokens.end(), eos);
    auto with_out = arguments;
    with_out.insert(with_out.end(), {"--out", (dir / "out").string()});
    CHECK(succeed("generate", with_out).out == prompt + decoded(model, {free_run.tokens.begin(), end}) + "\n");
    CHECK(json_of(dir / "out/summary.json").at("stopped") == 1);
    CHECK(json_of(dir / "out/summary.json").at("new_tokens") == end - free_run.tokens.begin() + 1);
    auto ignoring = arguments;
    ignoring.push_back("--ignore-eos");
    CHECK(succeed("generate", ignoring).out.size() > succeed("generate", arguments).out.size());
}

TEST_CASE("steering adds scale times the vector at the site, at every position", "[programs][generate]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    std::vector<double> vector(24);
    for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = static_cast<double>(i % 5) - 2;
    write_npy(dir / "v.npy", vector, {24});
    write_npy(dir / "v32.npy", std::vector<float>(vector.begin(), vector.end()), {1, 24});
    for (std::string const site : {"blocks.1.hook_resid_post", "blocks.0.attn.hook_z"}) {
        auto const add =
            plateau::hooks::patch<float>(site, [&](auto const&, auto const&, plateau::tensor::view<float, 3> rows) {
                for (index r = 0; r < rows.extent(0); ++r) {
                    for (index a = 0; a < rows.extent(1); ++a) {
                        for (index e = 0; e < rows.extent(2); ++e) {
                            auto const& v = vector[static_cast<std::size_t>(a * rows.extent(2) + e)];
                            rows(r, a, e) = static_cast<float>(static_cast<double>(rows(r, a, e)) + -1.5 * v);
                        }
                    }
                }
            });
        auto const loaded = loaded_from(model);
        auto const steered =
            engine::generate(loaded.engine(), {loaded.tokenize(prompt)}, {.max_new_tokens = 20}, add)[0].tokens;
        for (auto const* file : {"v.npy", "v32.npy"}) {
            auto const run = succeed(
                "generate", {"--model", model, "--prompt", prompt, "--ignore-eos", "--max-new-tokens", "20", "--steer",
                             (dir / file).string(), "--steer-site", site, "--steer-scale", "-1.5", "--only-new"});
            CHECK(run.out == decoded(model, steered) + "\n");
        }
        CHECK(steered !=
              engine::generate(loaded.engine(), {loaded.tokenize(prompt)}, {.max_new_tokens = 20})[0].tokens);
    }
}

TEST_CASE("generate begins with BOS as the published tokenizer does, and does not print it", "[programs][generate]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model", "digits");  // puts BOS before a text
    auto const run = [&](words more) {
        words all{"--model", model,          "--prompt",
                  prompt,    "--ignore-eos", "--max-new-tokens",
                  "4",       "--out",        (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        return succeed("generate", all).out;
    };
    auto const bos = *loaded_from(model).bos();
    CHECK(run({}).rfind(prompt, 0) == 0);
    CHECK(read_npy<std::int64_t>(dir / "out/tokens.npy").values[0] == bos);
    auto const with = read_npy<std::int64_t>(dir / "out/prompt_lengths.npy").values[0];
    CHECK(run({"--bos", "off"}).rfind(prompt, 0) == 0);
    CHECK(read_npy<std::int64_t>(dir / "out/tokens.npy").values[0] != bos);
    CHECK(read_npy<std::int64_t>(dir / "out/prompt_lengths.npy").values[0] == with - 1);
}

TEST_CASE("generate refuses what makes no sense, and leaves nothing", "[programs][generate][usage]") {
    scratch_dir const dir;
    std::filesystem::create_directory(dir / "given");
    auto const model = write_text_model(dir / "given/model");
    auto const path = [&](std::string const& name) { return (dir / ("given/" + name)).string(); };
    write_npy(dir / "given/short.npy", std::vector<double>(23, 1), {23});
    write_npy(dir / "given/nan.npy", std::vector<double>(24, std::nan("")), {24});
    write_npy(dir / "given/good.npy", std::vector<double>(24, 1), {24});
    write_npy(dir / "given/integers.npy", std::vector<std::int64_t>(24, 1), {24});
    dir.write("given/garbage.npy", "this is no array");
    auto const refuse = [&](int status, words more, std::string const& part) {
        words all{"--model", model, "--out", (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        fail(status, "generate", all, part);
        CHECK(names_in(dir.path()) == std::set<std::string>{"given"});
    };
    auto const prompted = [&](int status, words more, std::string const& part) {
        more.insert(more.begin(), {"--prompt", prompt});
        if (std::find(more.begin(), more.end(), "--max-new-tokens") == more.end())
            more.insert(more.end(), {"--max-new-tokens", "5"});
        refuse(status, more, part);
    };
    refuse(2, {}, "--prompt is required");
    prompted(2, {"--prompts", "a.txt"}, "--prompts");
    refuse(2, {"--prompt", ""}, "prompt 0 is empty");
    prompted(2, {"--tokens", "a.npy"}, "--tokens");
    prompted(2, {"--bogus"}, "--bogus");
    prompted(2, {"--max-new-tokens", "0"}, "--max-new-tokens");
    prompted(2, {"--max-new-tokens", "some"}, "--max-new-tokens");
    prompted(2, {"--max-new-tokens", "9999"}, "the model's context ends at 64");
    for (auto const* bad : {"-1", "nan", "inf"}) prompted(2, {"--temperature", bad}, "temperature");
    prompted(2, {"--temperature", "warm"}, "--temperature");
    prompted(2, {"--top-k", "-1"}, "--top-k");
    prompted(2, {"--bos", "maybe"}, "--bos");
    prompted(2, {"--steer", path("good.npy")}, "--steer-site");
    prompted(2, {"--steer-site", "hook_embed"}, "--steer");
    prompted(2, {"--steer-scale", "2"}, "--steer");
    auto const steered = [&](int status, std::string const& file, std::string const& site, std::string const& part) {
        prompted(status, {"--steer", path(file), "--steer-site", site}, part);
    };
    steered(2, "short.npy", "hook_embed", "the vector has 23 numbers, hook_embed has 24");
    steered(2, "good.npy", "blocks.0.mlp.hook_post", "blocks.0.mlp.hook_post has 40");
    steered(2, "nan.npy", "hook_embed", "not finite");
    steered(2, "integers.npy", "hook_embed", "float32 or float64");
    steered(2, "good.npy", "blocks.0.attn.hook_pattern", "takes no vector");
    steered(1, "good.npy", "blocks.0.hook_resid_prost", "blocks.0.hook_resid_post");
    steered(1, "good.npy", "blocks.*.hook_resid_post", "names 3 hook points");
    steered(1, "garbage.npy", "hook_embed", "garbage.npy");
    steered(1, "absent.npy", "hook_embed", "absent.npy");
    prompted(2, {"--steer", path("good.npy"), "--steer-site", "hook_embed", "--steer-scale", "inf"}, "--steer-scale");
    prompted(1, {"--steer", path("good.npy"), "--steer-site", "hook_embed", "--steer-scale", "1e300"}, "not finite");
    fail(1, "generate", {"--model", golden_model("llama_gqa"), "--prompt", prompt}, "give token ids instead");
    auto const gemma =
        std::string(baked::tests) + "/golden/gguf/architectures/gemma.gguf";  // its message advises itself
    auto const mute = programs::run("generate", {"--model", gemma, "--prompt", prompt});
    CHECK_THAT(mute.err, contains("or token ids instead of text") && !contains("; give token ids"));
    fail(1, "generate", {"--model", path("absent"), "--prompt", prompt}, "there is no model");
}

TEST_CASE("a full stdout costs no files, and without files it is an error", "[programs][generate][failures]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const shell = [&](std::string const& more) {
        return plateau::testing::run_process(
            {"sh", "-c", "\"$1/generate\" --model \"$2\" --prompt The --max-new-tokens 3 " + more + " > /dev/full",
             "sh", baked::programs, model, (dir / "out").string()},
            environment());
    };
    auto const lost = shell("");
    CHECK(lost.status == 1);
    CHECK_THAT(lost.err, contains("cannot write the text"));
    auto const kept = shell("--out \"$3\"");
    CHECK(kept.status == 0);
    CHECK_THAT(kept.err, contains("stdout cannot be written to"));
    CHECK(names_in(dir / "out").count("summary.json") == 1);
}

TEST_CASE("generate --help lists every option and every file", "[programs][generate][usage]") {
    auto const help = succeed("generate", {"--help"});
    for (auto const* word : {"--help",        "--version",
                             "--model",       "--dtype",
                             "--backend",     "--threads",
                             "--seed",        "--out",
                             "--tokens",      "--prompts",
                             "--corpus",      "--count",
                             "--length",      "--bos",
                             "--prompt",      "--max-new-tokens",
                             "--temperature", "--top-k",
                             "--steer",       "--steer-site",
                             "--steer-scale", "--ignore-eos",
                             "--only-new",    "tokens.npy",
                             "lengths.npy",   "prompt_lengths.npy",
                             "summary.json",  "[N,T]",
                             "int64",         "new_tokens",
                             "stopped"}) {
        CHECK_THAT(help.out, contains(word));
    }
    CHECK(succeed("generate", {"--version"}).out.size() > 3);
}

}  // namespace
