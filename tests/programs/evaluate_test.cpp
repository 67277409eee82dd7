// The program evaluate: its numbers, its files, and what it refuses.

#include <cmath>
#include <cstdint>

#include <plateau/engine/load.hpp>
#include <plateau/engine/read/token_losses.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::io::write_npy;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");

/// Random tokens [N,T].
std::vector<std::vector<std::int64_t>> random_texts(index texts, index length) {
    std::vector<std::vector<std::int64_t>> all;
    for (auto const& text : tiny::random_prompts(5, std::vector<index>(static_cast<std::size_t>(texts), length), 60))
        all.emplace_back(text.begin(), text.end());
    return all;
}

/// The program and this test may be compiled to different roundings: nats.
constexpr double rounding = 2e-5;

/// -log p of a token of a text given those from `from` on, by the library.
double loss_of(std::vector<std::int64_t> const& text, index from, index token) {
    static auto const loaded = plateau::load<float>(model, {.backend = {.threads = 1}});
    std::vector<plateau::token_id> const part(text.begin() + from, text.begin() + token + 1);
    return plateau::engine::token_losses(loaded.engine(), {part})[0].back();
}

TEST_CASE("evaluate leaves the losses of windows one after the other", "[programs][evaluate]") {
    scratch_dir const dir;
    auto const texts = random_texts(2, 50);
    auto const tokens = write_tokens(dir / "tokens.npy", texts);
    auto const out = dir / "out";
    auto const run =
        succeed("evaluate", {"--model", model, "--tokens", tokens, "--length", "12", "--out", out.string()});
    CHECK(names_in(out) == std::set<std::string>{"losses.npy", "summary.json", "tokens.npy"});
    auto const losses = read_npy<double>(out / "losses.npy");
    REQUIRE(losses.shape == std::vector<index>{2, 50});
    double sum = 0;
    index count = 0;
    for (index i = 0; i < 2; ++i) {
        for (index t = 0; t < 50; ++t) {
            double const loss = losses.values[static_cast<std::size_t>(i * 50 + t)];
            if (t % 12 == 0) {
                CHECK(std::isnan(loss));
                continue;
            }
            if (t % 7 == 1)
                CHECK(std::abs(loss - loss_of(texts[static_cast<std::size_t>(i)], t / 12 * 12, t)) <= rounding);
            sum += loss;
            ++count;
        }
    }
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("program") == "evaluate");
    CHECK(summary.at("cross_entropy").get<double>() == sum / static_cast<double>(count));
    CHECK(summary.at("perplexity").get<double>() == std::exp(sum / static_cast<double>(count)));
    CHECK(summary.at("tokens") == count);
    CHECK(summary.at("texts") == 2);
    CHECK(summary.at("text_tokens") == 100);
    CHECK(summary.at("windows") == 10);
    CHECK(summary.at("length") == 12);
    CHECK(summary.at("stride") == 12);
    CHECK_THAT(run.out, contains("cross-entropy (nats/token)"));
    CHECK_THAT(run.out, contains("perplexity"));
}

TEST_CASE("a smaller stride scores every token but the first, given what its window holds", "[programs][evaluate]") {
    scratch_dir const dir;
    auto const texts = random_texts(1, 50);
    write_npy(dir / "tokens.npy", texts[0], {50});  // [T] is one text
    succeed("evaluate", {"--model", model, "--tokens", (dir / "tokens.npy").string(), "--length", "12", "--stride", "5",
                         "--out", (dir / "out").string()});
    auto const losses = read_npy<double>(dir / "out/losses.npy");
    REQUIRE(losses.shape == std::vector<index>{1, 50});
    CHECK(std::isnan(losses.values[0]));
    for (index t = 1; t < 50; ++t) {
        index const window = t < 12 ? 0 : (t - 12) / 5 + 1;
        CHECK(std::abs(losses.values[static_cast<std::size_t>(t)] - loss_of(texts[0], window * 5, t)) <= rounding);
    }
    CHECK(json_of(dir / "out/summary.json").at("tokens") == 49);
}

TEST_CASE("evaluate gives the same bytes for any number of threads", "[programs][evaluate]") {
    scratch_dir const dir;
    auto const tokens = write_tokens(dir / "tokens.npy", random_texts(3, 200));
    for (std::string const threads : {"1", "2", "5"}) {
        succeed("evaluate", {"--model", model, "--tokens", tokens, "--stride", "40", "--threads", threads, "--out",
                             (dir / threads).string()});
    }
    check_same_files(dir / "1", dir / "2");
    check_same_files(dir / "1", dir / "5");
}

TEST_CASE("evaluate reads text, begun with BOS as the published tokenizer does", "[programs][evaluate]") {
    scratch_dir const dir;
    std::string text;
    for (int i = 0; i < 20; ++i)
        text += "The plateau lies high above the river, and whoever walks across it sees little change.\n";
    auto const file = dir.write("text.txt", text).string();
    for (std::string const tokenizer : {"words", "digits"}) {
        auto const folder = write_text_model(dir / tokenizer, tokenizer);
        auto const loaded = plateau::load<float>(folder, {.backend = {.threads = 1}});
        auto ids = loaded.tokenize(text);
        for (std::string const bos : {"off", "on", "default"}) {
            if (bos == "on" && !loaded.bos()) continue;
            words all{"--model", folder, "--text", file, "--out", (dir / "out").string()};
            if (bos != "default") all.insert(all.end(), {"--bos", bos});
            succeed("evaluate", all);
            auto expected = std::vector<std::int64_t>(ids.begin(), ids.end());
            bool const begun = bos == "on" || (bos == "default" && loaded.tokenizer->adds_bos());
            if (begun) expected.insert(expected.begin(), *loaded.bos());
            CHECK(read_npy<std::int64_t>(dir / "out/tokens.npy").values == expected);
            CHECK(json_of(dir / "out/summary.json").at("length") == 64);  // the model's context
        }
    }
}

TEST_CASE("without --out evaluate prints its table and leaves nothing", "[programs][evaluate]") {
    scratch_dir const dir;
    auto const file = dir.write("text.txt", "The plateau lies high above the river.").string();
    auto const folder = write_text_model(dir / "model");
    auto const before = names_in(dir.path());
    CHECK_THAT(succeed("evaluate", {"--model", folder, "--text", file}).out, contains("tokens that count"));
    CHECK(names_in(dir.path()) == before);
}

TEST_CASE("evaluate refuses what makes no sense, and leaves nothing", "[programs][evaluate][usage]") {
    scratch_dir const dir;
    std::filesystem::create_directory(dir / "given");
    auto const tokens = write_tokens(dir / "given/tokens.npy", random_texts(2, 20));
    auto const path = [&](std::string const& name) { return (dir / ("given/" + name)).string(); };
    auto const refuse = [&](int status, words more, std::string const& part) {
        words all{"--model", model, "--out", (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        fail(status, "evaluate", all, part);
        CHECK(names_in(dir.path()) == std::set<std::string>{"given"});
    };
    auto const file = [&](int status, std::string const& name, std::string const& part) {
        refuse(status, {"--tokens", path(name)}, part);
    };
    refuse(2, {}, "--text is required");
    refuse(2, {"--tokens", tokens, "--text", "a.txt"}, "--tokens");
    refuse(2, {"--tokens", tokens, "--length", "65"}, "the model's context ends at 64");
    refuse(2, {"--tokens", tokens, "--length", "1"}, "2 tokens or more");
    refuse(2, {"--tokens", tokens, "--length", "0"}, "--length");
    refuse(2, {"--tokens", tokens, "--length", "8", "--stride", "9"}, "1 to 8");
    refuse(2, {"--tokens", tokens, "--stride", "-1"}, "--stride");
    refuse(2, {"--tokens", tokens, "--bogus"}, "--bogus");
    write_npy(dir / "given/one.npy", std::vector<std::int64_t>{1}, {1});
    file(2, "one.npy", "2 tokens or more");
    write_npy(dir / "given/outside.npy", std::vector<std::int64_t>{1, 2, 3, 67}, {4});
    file(2, "outside.npy", "67");
    write_npy(dir / "given/cube.npy", std::vector<std::int64_t>(8, 1), {2, 2, 2});
    file(2, "cube.npy", "[prompts, length]");
    write_npy(dir / "given/float.npy", std::vector<float>(8, 1), {8});
    file(2, "float.npy", "integers");
    dir.write("given/garbage.npy", "this is no array");
    file(1, "garbage.npy", "garbage.npy");
    file(1, "absent.npy", "absent.npy");
    refuse(1, {"--text", path("tokens.npy")}, "give token ids instead");

    auto const text_model = write_text_model(dir / "given/model");
    fail(1, "evaluate", {"--model", text_model, "--text", path("absent.txt")}, "absent.txt");
    fail(1, "evaluate", {"--model", text_model, "--text", dir.write("given/text.txt", "\xff\xfe").string()},
         "not UTF-8");
    fail(2, "evaluate", {"--model", text_model, "--text", dir.write("given/text.txt", "").string()},
         "given/text.txt: the file is empty");
}

TEST_CASE("evaluate --help lists every option and every file", "[programs][evaluate][usage]") {
    auto const help = succeed("evaluate", {"--help"});
    for (auto const* word :
         {"--help",     "--version",   "--model",      "--dtype", "--backend", "--threads", "--seed",
          "--out",      "--text",      "--tokens",     "--bos",   "--length",  "--stride",  "losses.npy",
          "tokens.npy", "lengths.npy", "summary.json", "float64", "int64",     "[N,T]",     "cross_entropy",
          "perplexity", "text_tokens", "windows",      "nats"}) {
        CHECK_THAT(help.out, contains(word));
    }
    CHECK(succeed("evaluate", {"--version"}).out.size() > 3);
}

}  // namespace
