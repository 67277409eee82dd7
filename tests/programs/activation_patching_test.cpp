// The program activation_patching: its files, its choices, and what it refuses.

#include <cmath>
#include <cstdint>

#include <plateau/engine/load.hpp>
#include <plateau/sweep/activation_patching.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::token_id;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");

/// Everything that a run leaves.
std::set<std::string> const all_files {
    "attn_out.npy", "head_z.npy", "mlp_out.npy",
#if PLATEAU_HAS_CAIRO
        "patching.png",
#endif
        "resid_pre.npy", "summary.json", "tokens.npy"
};

/// Two prompts of six tokens that differ at positions 2 and 5.
struct pair_of_prompts {
    std::vector<std::vector<token_id>> prompts{{3, 5, 7, 11, 13, 17}, {3, 5, 8, 11, 13, 19}};
    scratch_dir dir;
    std::string tokens = write_tokens(dir / "tokens.npy", prompts);

    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", model,     "--tokens", tokens,  "--answer",
                  "21",      "--wrong", "22",       "--out", (dir / out).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
};

TEST_CASE("activation_patching leaves the matrices of the library", "[programs][activation_patching]") {
    pair_of_prompts const given;
    auto const out = given.dir / "out";
    auto const result = succeed("activation_patching",
                                given.with("out", {"--dtype", "fp64"}));  // in double no compiler flag changes a bit
    CHECK(names_in(out) == all_files);
    auto const loaded = plateau::load<double>(model, {.backend = {.threads = 1}});
    auto const effects = plateau::sweep::patch_activations(loaded, given.prompts[0], given.prompts[1], {21, 22});
    auto const layers = static_cast<index>(loaded.layers());
    auto const check = [&](char const* name, plateau::tensor::buffer<double, 2> const& expected) {
        CAPTURE(name);
        auto const written = read_npy<double>(out / name);
        CHECK(written.shape == std::vector<index>{expected.extent(0), expected.extent(1)});
        CHECK(written.values == std::vector<double>(expected.flat().begin(), expected.flat().end()));
        for (double const value : written.values) CHECK(std::isfinite(value));
    };
    check("resid_pre.npy", effects.resid_pre);
    check("attn_out.npy", effects.attn_out);
    check("mlp_out.npy", effects.mlp_out);
    check("head_z.npy", effects.head_z);
    auto const tokens = read_npy<std::int64_t>(out / "tokens.npy");
    CHECK(tokens.shape == std::vector<index>{2, 6});
    CHECK(tokens.values == std::vector<std::int64_t>{3, 5, 7, 11, 13, 17, 3, 5, 8, 11, 13, 19});

    auto const summary = json_of(out / "summary.json");
    for (auto const* key : {"program", "version", "model", "dtype", "backend", "instruction_set", "threads", "seed",
                            "seconds", "load_seconds", "points_per_second", "options"}) {
        CHECK(summary.contains(key));
    }
    CHECK(summary.at("program") == "activation_patching");
    CHECK(summary.at("clean_logit_difference") == effects.clean);
    CHECK(summary.at("corrupted_logit_difference") == effects.corrupted);
    CHECK(summary.at("answer") == 21);
    CHECK(summary.at("wrong") == 22);
    CHECK(summary.at("layers") == layers);
    CHECK(summary.at("heads") == effects.head_z.extent(1));
    CHECK(summary.at("length") == 6);
    CHECK(summary.at("first_difference") == 2);
    for (auto const* part : {"hook_resid_pre", "hook_attn_out", "hook_mlp_out", "attn.hook_z", "position", "head"}) {
        CHECK_THAT(result.out, contains(part));
    }
}

TEST_CASE("activation_patching leaves the same bytes for any number of threads", "[programs][activation_patching]") {
    pair_of_prompts const given;
    for (auto const* dtype : {"fp32", "fp64", "bf16"}) {
        for (auto const* threads : {"1", "2", "3"}) {
            succeed("activation_patching",
                    given.with(std::string(dtype) + threads, {"--threads", threads, "--dtype", dtype}));
        }
        for (auto const* threads : {"2", "3"})
            check_same_files(given.dir / (std::string(dtype) + "1"), given.dir / (std::string(dtype) + threads));
    }
}

TEST_CASE("activation_patching needs no option", "[programs][activation_patching]") {
    scratch_dir const dir;
    auto const result = succeed("activation_patching", {"--out", (dir / "out").string()});
    CHECK(names_in(dir / "out") == all_files);
    auto const summary = json_of(dir / "out/summary.json");
    CHECK(summary.at("clean_logit_difference").get<double>() > 1);
    CHECK(summary.at("corrupted_logit_difference").get<double>() < -1);
    CHECK(summary.at("answer_text") == " been");
    CHECK(summary.at("wrong_text") == " be");
    auto const effects = read_npy<double>(dir / "out/resid_pre.npy");
    index const changed = summary.at("first_difference").get<index>();
    CHECK(effects.values[static_cast<std::size_t>(changed)] == 1);  // one token differs: its embedding is all there is
    CHECK_THAT(result.out, contains("been"));
}

TEST_CASE("answers are texts of one token, ids, or what the prompts make likeliest",
          "[programs][activation_patching]") {
    scratch_dir const dir;
    auto const run = [&](words const& more) {
        words all{"--clean", " She had always", "--corrupted", " She could always", "--out", (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        succeed("activation_patching", all);
        return json_of(dir / "out/summary.json");
    };
    auto const likeliest = run({});
    CHECK(likeliest.at("answer_text") == " been");
    CHECK(likeliest.at("wrong_text") == " be");
    auto const likeliest_effects = bytes_of(dir / "out/head_z.npy");
    auto const by_text = run({"--answer", " been", "--wrong", " be"});
    CHECK(by_text.at("answer") == likeliest.at("answer"));
    CHECK(by_text.at("wrong") == likeliest.at("wrong"));
    CHECK(bytes_of(dir / "out/head_z.npy") == likeliest_effects);
    auto const id = std::to_string(likeliest.at("wrong").get<int>());
    CHECK(run({"--wrong", id}).at("wrong") == likeliest.at("wrong"));
    auto const turned = run({"--answer", " be", "--wrong", " been"});
    CHECK(turned.at("clean_logit_difference").get<double>() == -likeliest.at("clean_logit_difference").get<double>());
    CHECK(bytes_of(dir / "out/head_z.npy") == likeliest_effects);
    CHECK(json_of(dir / "out/summary.json").at("options").at("--answer") == " be");
}

TEST_CASE("id: and text: say what digits are", "[programs][activation_patching]") {
    scratch_dir const dir;
    auto const answer = [&](words const& more) {
        words all{"--wrong", " be", "--out", (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        succeed("activation_patching", all);
        return json_of(dir / "out/summary.json").at("answer").get<int>();
    };
    CHECK(answer({"--answer", "id:4"}) == 4);
    int const four = answer({"--answer", "text:4"});
    CHECK(four != 4);
    CHECK(json_of(dir / "out/summary.json").at("answer_text") == "4");
    CHECK(answer({"--answer", "id:" + std::to_string(four)}) == four);
    CHECK(answer({"--answer", "text: been"}) == answer({"--answer", " been"}));
    CHECK(answer({"--answer", "00500"}) == 500);
    auto const refused = [&](std::string const& given, std::string const& part) {
        fail(2, "activation_patching", {"--answer", given, "--out", (dir / "none").string()}, part);
    };
    refused("4", "give text:4 or id:4");
    refused("id:", "no token id");
    refused("id: 4", "no token id");
    refused("id:1024", "the largest id is 1023");
    refused("text:", "0 tokens");
    refused("text:1024", "tokens");
}

TEST_CASE("the space that a tokenizer puts before a text itself is not doubled", "[programs][activation_patching]") {
    scratch_dir const dir;
    for (auto const* name : {"llama2", "mistral"}) {
        auto const folder = write_text_model(dir / name, name);
        auto const tokens = plateau::io::tokenizer::from_json_file(folder + "/tokenizer.json");
        auto const answer = [&](std::string const& given) {
            succeed("activation_patching", {"--model", folder, "--clean", "the river", "--corrupted", "the ground",
                                            "--answer", given, "--wrong", "id:3", "--out", (dir / "out").string()});
            return json_of(dir / "out/summary.json").at("answer").get<token_id>();
        };
        auto const the = tokens.encode("the");
        REQUIRE(the.size() == 1);
        REQUIRE(tokens.token_text(the[0]) == " the");
        CHECK(answer(" the") == the[0]);
        CHECK(answer("text: the") == the[0]);
        CHECK(answer("the") == the[0]);
        CHECK(tokens.token_text(answer("text:3")) == "3");
        fail(2, "activation_patching",
             {"--model", folder, "--clean", "the river", "--corrupted", "the ground", "--answer", "3", "--out",
              (dir / "none").string()},
             "text:3 or id:3");
    }
}

TEST_CASE("activation_patching refuses what it cannot measure, and leaves nothing", "[programs][activation_patching]") {
    pair_of_prompts const given;
    auto const expect = [&](int status, words const& more, std::string const& part) {
        words all{"--out", (given.dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        fail(status, "activation_patching", all, part);
        CHECK(names_in(given.dir.path()) == std::set<std::string>{"tokens.npy"});
    };
    std::string const had = " She had always", could = " She could always";
    expect(2, {"--clean", " She had", "--corrupted", could}, "one length");
    expect(2, {"--clean", had}, "--corrupted");
    expect(2, {"--clean", had, "--corrupted", could, "--tokens", given.tokens}, "--tokens");
    expect(2, {"--clean", had, "--corrupted", could, "--answer", " had been"}, "2 tokens, ␣had + ␣been");
    expect(2, {"--clean", had, "--corrupted", could, "--answer", ""}, "0 tokens");
    expect(2, {"--clean", had, "--corrupted", could, "--wrong", "1024"}, "no token id");
    expect(2, {"--clean", had, "--corrupted", could, "--wrong", "99999999999999999999"}, "no token id");
    expect(2, {"--clean", had, "--corrupted", could, "--answer", " be"}, "the same token, ␣be");
    expect(2, {"--clean", had, "--corrupted", had}, "--answer and --wrong");
    expect(1, {"--clean", had, "--corrupted", had, "--answer", " be", "--wrong", " been"}, "same logit difference");
    expect(2, {"--clean", "", "--corrupted", ""}, "empty");
    expect(1, {"--clean", "\xFF", "--corrupted", could}, "UTF-8");
    scratch_dir const more;
    auto const three = write_tokens<std::int64_t>(more / "three.npy", {{1, 2}, {3, 4}, {5, 6}});
    expect(2, {"--model", model, "--tokens", three}, "holds 3 prompts: give two");
    expect(1, {"--model", model, "--tokens", given.tokens, "--answer", " be"}, "token ids");
    expect(1, {"--model", (given.dir / "absent").string()}, "no model");
    expect(1, {"--model", model}, "token ids");  // has no tokenizer for the default prompts
    expect(2, {"--weights", "noise"}, "--weights");
}

TEST_CASE("activation_patching names what is not finite", "[programs][activation_patching]") {
    pair_of_prompts const given;
    tiny::checkpoint broken{7};
    for (float& value : broken.tensors.at("model.layers.1.mlp.down_proj.weight").values) value = 3e38f;
    std::filesystem::create_directory(given.dir / "broken");
    broken.write(given.dir / "broken");
    fail(1, "activation_patching",
         {"--model", (given.dir / "broken").string(), "--tokens", given.tokens, "--answer", "21", "--wrong", "22",
          "--out", (given.dir / "out").string()},
         "finite");
    CHECK(names_in(given.dir.path()) == std::set<std::string>{"broken", "tokens.npy"});
}

TEST_CASE("activation_patching --help names everything", "[programs][activation_patching]") {
    auto const help = succeed("activation_patching", {"--help"}).out;
    for (auto const* word : {"--model",
                             "--weights",
                             "--dtype",
                             "--backend",
                             "--threads",
                             "--seed",
                             "--out",
                             "--bos",
                             "--tokens",
                             "--clean",
                             "--corrupted",
                             "--answer",
                             "--wrong",
                             "resid_pre.npy",
                             "attn_out.npy",
                             "mlp_out.npy",
                             "head_z.npy",
                             "tokens.npy",
                             "patching.png",
                             "summary.json",
                             "[L,T]",
                             "[L,H]",
                             "[2,T]",
                             "float64",
                             "int64",
                             "nats",
                             "clean_logit_difference",
                             "corrupted_logit_difference",
                             "answer",
                             "wrong",
                             "layers",
                             "length"}) {
        CHECK_THAT(help, contains(word));
    }
}

}  // namespace
