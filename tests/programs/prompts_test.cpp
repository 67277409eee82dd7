// Where prompts come from: text, corpus windows, the embedded model; the beginning-of-text token.

#include <plateau/io/npz.hpp>
#include <plateau/io/tokenizer.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::scratch_dir;

std::string const lines = " the river\nThe plateau lies high above\na\nwhat the wind does\n";

std::string corpus_text() {
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += "The plateau lies high above the river, " + std::to_string(i * 7919 % 1000) + " steps.\n";
    return text;
}

/// The prompts of an output folder, cut to their lengths.
std::vector<std::vector<std::int64_t>> prompts_in(std::filesystem::path const& folder) {
    auto const tokens = read_npy<std::int64_t>(folder / "tokens.npy");
    std::vector<std::vector<std::int64_t>> prompts;
    for (index i = 0; i < tokens.shape.at(0); ++i) {
        auto const begin = tokens.values.begin() + i * tokens.shape.at(1);
        prompts.emplace_back(begin, begin + tokens.shape.at(1));
        std::erase(prompts.back(), -1);
    }
    return prompts;
}

std::vector<std::int64_t> ids(std::string const& model, std::string const& text) {
    auto const tokens = plateau::io::tokenizer::from_json_file(model + "/tokenizer.json").encode(text);
    return {tokens.begin(), tokens.end()};
}

TEST_CASE("text prompts: one a line, leading spaces kept, lengths may differ", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    words const base{"--model", model, "--steps", "5", "--out", (dir / "out").string(), "--prompts"};
    auto const with = [&](std::string const& text, words const& more = {}) {
        words all = base;
        all.push_back(dir.write("prompts.txt", text).string());
        all.insert(all.end(), more.begin(), more.end());
        succeed("stable_regions", all);
        return prompts_in(dir / "out");
    };
    std::vector const expected{ids(model, " the river"), ids(model, "The plateau lies high above"), ids(model, "a"),
                               ids(model, "what the wind does")};
    CHECK(expected[0] != ids(model, "the river"));
    CHECK(with(lines) == expected);
    auto const lengths = read_npy<std::int64_t>(dir / "out/lengths.npy");
    REQUIRE(lengths.shape == std::vector<index>{4});
    for (std::size_t i = 0; i < 4; ++i) CHECK(lengths.values[i] == static_cast<std::int64_t>(expected[i].size()));
    auto const curve = read_npy<double>(dir / "out/distances.npy").values;

    // of another system
    CHECK(with("\xEF\xBB\xBF the river\r\nThe plateau lies high above\r\na\r\nwhat the wind does\r\n") == expected);

    SECTION("a pair of unequal lengths has the bits of a run alone, whatever else is there and on any threads") {
        CHECK(with(" the river\nThe plateau lies high above\n", {"--threads", "3"}).size() == 2);
        auto const alone = read_npy<double>(dir / "out/distances.npy").values;
        CHECK(alone == std::vector<double>(curve.begin(), curve.begin() + 5));
    }
    SECTION("the files are the same bytes for any number of threads") {
        for (auto const* threads : {"1", "3"}) {
            words const arguments{"--model",   model,   "--prompts", (dir / "prompts.txt").string(), "--steps", "5",
                                  "--threads", threads, "--out",     (dir / threads).string()};
            succeed("stable_regions", arguments);
            check_same_files(dir / "out", dir / threads);
        }
    }
    SECTION("lengths.npy of an earlier run does not outlive it") {
        CHECK(names_in(dir / "out").count("lengths.npy") == 1);
        with("a\nb\n");
        CHECK(names_in(dir / "out").count("lengths.npy") == 0);
        CHECK(names_in(dir / "out").count("curves.csv") == 1);
    }
}

TEST_CASE("--bos: off for stable_regions, as published for activations, unless it says otherwise",
          "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "digits", "digits");  // its post-processor begins with token 0
    auto const plain = write_text_model(dir / "words", "words");    // its own does not
    auto const text = dir.write("prompts.txt", "one\ntwo 2\n").string();
    auto const corpus = dir.write("corpus.txt", corpus_text()).string();
    auto const first_of_regions = [&](words const& prompts) {
        words all{"--model", model, "--steps", "3", "--out", (dir / "out").string()};
        all.insert(all.end(), prompts.begin(), prompts.end());
        succeed("stable_regions", all);
        return prompts_in(dir / "out").front();
    };
    auto const first_of_activations = [&](std::string const& folder, words const& prompts) {
        words all{"--model", folder, "--sites", "hook_embed", "--out", (dir / "a.npz").string()};
        all.insert(all.end(), prompts.begin(), prompts.end());
        succeed("activations", all);
        auto const tokens = plateau::io::npz_reader{dir / "a.npz"}.read<std::int64_t>("tokens");
        std::vector<std::int64_t> first(tokens.values.begin(), tokens.values.begin() + tokens.shape.at(1));
        std::erase(first, -1);
        return first;
    };
    auto const without = ids(model, "one");
    auto with = without;
    with.insert(with.begin(), 0);
    REQUIRE(without.front() != 0);
    CHECK(first_of_regions({"--prompts", text}) == without);
    CHECK(first_of_regions({"--prompts", text, "--bos", "off"}) == without);
    CHECK(first_of_regions({"--prompts", text, "--bos", "on"}) == with);
    CHECK(first_of_activations(model, {"--prompts", text}) == with);
    CHECK(first_of_activations(model, {"--prompts", text, "--bos", "on"}) == with);
    CHECK(first_of_activations(model, {"--prompts", text, "--bos", "off"}) == without);
    CHECK(first_of_activations(plain, {"--prompts", text}) == ids(plain, "one"));

    words const windows{"--corpus", corpus, "--count", "2", "--length", "4"};
    auto const window = first_of_activations(model, windows);
    CHECK(window.size() == 4);
    CHECK(first_of_regions(windows) == window);
    words windows_with_bos = windows;
    windows_with_bos.insert(windows_with_bos.end(), {"--bos", "on"});
    auto expected = window;
    expected.insert(expected.begin(), 0);
    CHECK(first_of_activations(model, windows_with_bos) == expected);
}

TEST_CASE("corpus windows tile the whole text and are drawn without replacement", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const corpus = dir.write("corpus.txt", corpus_text()).string();
    auto const whole = ids(model, corpus_text());
    index const all = static_cast<index>(whole.size()) / 7;
    auto const draw = [&](index count, std::string const& seed) {
        succeed("stable_regions", {"--model", model, "--corpus", corpus, "--count", std::to_string(count), "--length",
                                   "7", "--seed", seed, "--steps", "2", "--out", (dir / "out").string()});
        return prompts_in(dir / "out");
    };
    auto const first = draw(5, "1");
    auto const bytes = bytes_of(dir / "out/distances.npy");
    CHECK(draw(5, "1") == first);
    CHECK(bytes_of(dir / "out/distances.npy") == bytes);
    CHECK(draw(5, "2") != first);
    CHECK(json_of(dir / "out/summary.json").at("seed") == 2);

    auto drawn = draw(all, "3");  // every window, each once
    std::vector<std::vector<std::int64_t>> windows;
    for (index i = 0; i < all; ++i) windows.emplace_back(whole.begin() + 7 * i, whole.begin() + 7 * (i + 1));
    CHECK(drawn != windows);
    std::sort(drawn.begin(), drawn.end());
    std::sort(windows.begin(), windows.end());
    CHECK(drawn == windows);

    words const base{"--model", model, "--out", (dir / "none").string(), "--corpus"};
    auto const fails = [&](words const& more, std::string const& part) {
        words arguments = base;
        arguments.insert(arguments.end(), more.begin(), more.end());
        fail(2, "stable_regions", arguments, part);
    };
    fails({corpus, "--count", std::to_string(all + 1), "--length", "7"}, std::to_string(all) + " windows");
    fails({corpus, "--count", "2", "--length", "1000000000000"}, "0 windows");
    fails({corpus, "--count", "0"}, "at least 1");
    fails({corpus, "--length", "0"}, "at least 1");
    fails({corpus, "--count", "-1"}, "at least 1");
    fails({corpus, "--count", "1"}, "two prompts");
    fails({corpus, "--count", "2", "--length", "65"}, "context");
    fails({dir.write("empty.txt", "").string(), "--count", "2"}, "0 windows");
    CHECK_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_CASE("a corpus of another system gives the same windows", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const draw = [&](std::string const& text, char const* out) {
        succeed("stable_regions", {"--model", model, "--corpus", dir.write("corpus.txt", text).string(), "--count", "3",
                                   "--length", "7", "--steps", "2", "--out", (dir / out).string()});
        return bytes_of(dir / out / "tokens.npy");
    };
    std::string other = "\xEF\xBB\xBF";
    for (char const c : corpus_text()) other += c == '\n' ? "\r\n" : std::string(1, c);
    auto const plain = draw(corpus_text(), "plain");
    CHECK(draw(other, "other") == plain);
    CHECK(draw("x\r" + corpus_text(), "more") != plain);
}

TEST_CASE("tokens.npy of ragged prompts gives the same run", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const run = [&](std::string const& option, std::filesystem::path const& file, char const* out) {
        succeed("stable_regions",
                {"--model", model, option, file.string(), "--steps", "3", "--out", (dir / out).string()});
    };
    run("--prompts", dir.write("prompts.txt", lines), "a");
    REQUIRE(names_in(dir / "a").count("lengths.npy") == 1);
    run("--tokens", dir / "a/tokens.npy", "b");
    check_same_files(dir / "a", dir / "b");
    auto const pads = [&](std::vector<std::vector<std::int64_t>> const& rows, std::string const& part) {
        fail(2, "activations",
             {"--model", model, "--sites", "*", "--out", (dir / "a.npz").string(), "--tokens",
              write_tokens(dir / "tokens.npy", rows)},
             part);
    };
    pads({{1, 2, 3}, {1, -1, 3}}, "row 1, column 1 (both from 0) holds -1");
    pads({{-1, -1, -1}, {1, 2, 3}}, "row 0 (from 0) is -1");
    pads({{1, 2, 3}, {1, 2, 401}}, "prompt 1 holds token 401 at position 2");
    pads({{1, 2, 3}, {1, 2, 401}}, "the largest id is 399");

    // in the vocabulary of the model, but not of its tokenizer
    words const between{"--model",  model,
                        "--sites",  "hook_embed",
                        "--out",    (dir / "a.npz").string(),
                        "--tokens", write_tokens<std::int64_t>(dir / "tokens.npy", {{1, 390}})};
    auto const result = programs::run("activations", between);
    CHECK(result.status == 0);
    CHECK(result.err.find("row 0, position 1 holds 390") != std::string::npos);
    CHECK(result.err.find("largest id is 360") != std::string::npos);
}

TEST_CASE("a text that begins with BOS gets another, as with transformers, and a line says so", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model", "digits");
    auto const run = [&](words const& more) {
        words all{"--model",   model,
                  "--sites",   "hook_embed",
                  "--out",     (dir / "a.npz").string(),
                  "--prompts", dir.write("prompts.txt", "the\n<|im_start|>the\n").string()};
        all.insert(all.end(), more.begin(), more.end());
        return programs::run("activations", all);
    };
    for (words const& more : {words{}, words{"--bos", "on"}}) {
        auto const result = run(more);
        CHECK(result.status == 0);
        CHECK(result.err.find("1 of 2 prompts (the first: prompt 1)") != std::string::npos);
        auto const tokens = plateau::io::npz_reader{dir / "a.npz"}.read<std::int64_t>("tokens");
        auto const second = tokens.values.data() + tokens.shape.at(1);
        CHECK((second[0] == 0 && second[1] == 0 && second[2] != 0));
    }
    CHECK(run({"--bos", "off"}).err.empty());
}

TEST_CASE("folders as they are found give the same prompts", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model"), found = write_text_model(dir / "found");
    auto const tokens = [&](std::string const& folder, std::string const& out) {
        auto const result = programs::run("generate", {"--model", folder, "--prompt", " The house", "--max-new-tokens",
                                                       "2", "--out", (dir / out).string()});
        CHECK(result.status == 0);
        return std::pair{bytes_of(dir / out / "tokens.npy") + result.out, result.err};
    };
    auto const expected = tokens(model, "a");
    auto whole = json_of(dir / "found/tokenizer.json");
    whole["truncation"] = {{"direction", "Right"}, {"max_length", 1}, {"strategy", "LongestFirst"}, {"stride", 0}};
    dir.write("found/tokenizer.json", whole.dump());
    CHECK(tokens(found, "b") == expected);
    std::filesystem::remove(dir / "found/tokenizer.json");
    std::string merges;
    for (auto const& merge : whole["model"]["merges"])
        merges += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
    dir.write("found/vocab.json", whole["model"]["vocab"].dump());
    dir.write("found/merges.txt", merges);
    auto const alone = tokens(found, "c");
    CHECK(alone.first == expected.first);
    CHECK(alone.second.find("taken as GPT-2's") != std::string::npos);
    dir.write("found/tokenizer_config.json", "\xEF\xBB\xBF{\"tokenizer_class\": \"GPT2Tokenizer\"}");
    dir.write("found/config.json", "\xEF\xBB\xBF" + bytes_of(dir / "found/config.json"));
    CHECK(tokens(found, "d") == expected);
}

TEST_CASE("bad texts are refused with their place", "[programs][prompts]") {
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const small = golden_model("llama_gqa");
    auto const fails = [&](int status, std::string const& folder, std::string const& text, std::string const& part) {
        auto const file = dir.write("prompts.txt", text).string();
        fail(status, "stable_regions", {"--model", folder, "--prompts", file, "--out", (dir / "out").string()}, part);
        fail(status, "activations",
             {"--model", folder, "--prompts", file, "--sites", "*", "--out", (dir / "a.npz").string()}, part);
        CHECK(names_in(dir.path()) == std::set<std::string>{"model", "prompts.txt", "tokenless"});
    };
    std::filesystem::create_directory(dir / "tokenless");
    fails(2, model, "one\n\ntwo\n", "line 2 is empty");
    fails(2, model, "\n", "line 1 is empty");
    fails(2, model, "one\ntwo\n\n", "line 3 is empty");
    fails(2, model, "", "no prompt");
    fails(1, model, "one\nt\xff\xfe\n", "prompts.txt: line 2: ");
    fails(1, small, "one\ntwo\n", "token ids instead of text");

    // a tokenizer that knows more than the model has embeddings for
    std::filesystem::copy(small, dir / "tokenless", std::filesystem::copy_options::recursive);
    std::filesystem::copy_file(model + "/tokenizer.json", dir / "tokenless/tokenizer.json");
    fails(2, (dir / "tokenless").string(), "The plateau\nlies high\n", "outside of the vocabulary");
    std::filesystem::remove(dir / "tokenless/tokenizer.json");
    dir.write("tokenless/tokenizer.json", "{\"model\": ");
    fails(1, (dir / "tokenless").string(), "one\ntwo\n", "tokenizer.json");
}

TEST_CASE("the embedded model and its prompts show stable regions", "[programs][prompts]") {
    scratch_dir const dir;
    succeed("stable_regions", {"--out", (dir / "out").string()});
    auto const summary = json_of(dir / "out/summary.json");
    CHECK(prompts_in(dir / "out").size() >= 100);
    CHECK(summary.at("degenerate_pairs") == 0);
    CHECK(summary.at("max_slope_median").get<double>() >= 2);
    CHECK_THAT(succeed("activations", {"--list"}).out, plateau::testing::contains("unembed.hook_out\t[N,T,"));
}

TEST_CASE("without prompts and model the embedded ones are taken, from PLATEAU_DATA if it is set",
          "[programs][prompts]") {
    scratch_dir const dir;
    write_text_model(dir / "data/embedded");
    dir.write("data/embedded/prompts.txt", lines);
    auto const data = (dir / "data").string(), out = (dir / "out").string();
    succeed("stable_regions", {"--out", out, "--steps", "3"}, data);
    CHECK(json_of(dir / "out/summary.json").at("model") == data + "/embedded");
    CHECK(prompts_in(dir / "out").size() == 4);

    // the prompts stay when the model is another
    auto const other = write_text_model(dir / "other");
    succeed("stable_regions", {"--out", out, "--steps", "3", "--model", other}, data);
    CHECK(json_of(dir / "out/summary.json").at("model") == other);
    CHECK(prompts_in(dir / "out").size() == 4);
    CHECK_FALSE(succeed("activations", {"--list"}, data).out.empty());

    fail(1, "stable_regions", {"--out", (dir / "none").string()}, (dir / "nowhere").string(),
         (dir / "nowhere").string());
    CHECK_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_CASE("an installed program takes the embedded model beside it", "[programs][prompts]") {
    if (!std::filesystem::exists("/proc/self/exe")) return;  // a system that does not say where a program is
    scratch_dir const dir;
    auto const copied = (dir / "bin/tokenize").string();
    auto const help = [&] { return plateau::testing::run_process({copied, "--help"}, environment()).out; };
    std::filesystem::create_directory(dir / "bin");
    std::filesystem::copy_file(std::string(baked::programs) + "/tokenize", copied);
    CHECK(help().find("--model TEXT=" + dir.path().string()) == std::string::npos);
    write_text_model(dir / "share/plateau/embedded");
    CHECK_THAT(help(), plateau::testing::contains("--model TEXT=" + (dir / "share/plateau/embedded").string() + "\n"));
    auto const ids = plateau::testing::run_process({copied, "--text", "a"}, environment());
    CHECK(ids.status == 0);
    CHECK(ids.out.size() > 1);
}

}  // namespace
