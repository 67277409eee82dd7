// Wrong usage is status 2, any other failure 1; one message, and nothing left behind. Help and version.

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::write_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::string const model = golden_model("llama_gqa");
std::string const tokens = model + "/tokens.npy";

/// A folder in which nothing but what the test put there may be after a failure.
class failures {
public:
    failures() { std::filesystem::create_directory(dir / "given"); }
    ~failures() { CHECK(names_in(dir.path()) == std::set<std::string>{"given"}); }
    std::string path(std::string const& name) const { return (dir / "given" / name).string(); }

    void regions(int status, words const& more, std::string const& part) const {
        words all{"--model", model, "--out", (dir / "out").string()};
        all.insert(all.end(), more.begin(), more.end());
        fail(status, "stable_regions", all, part);
        CHECK(names_in(dir.path()) == std::set<std::string>{"given"});
    }
    void activations(int status, words const& more, std::string const& part) const {
        words all{"--model", model, "--out", (dir / "a.npz").string()};
        all.insert(all.end(), more.begin(), more.end());
        fail(status, "activations", all, part);
        CHECK(names_in(dir.path()) == std::set<std::string>{"given"});
    }

    scratch_dir dir;
};

TEST_CASE("options that make no sense are status 2", "[programs][usage]") {
    failures const expect;
    auto const both = [&](words more, std::string const& part) {
        more.insert(more.begin(), {"--tokens", tokens});
        expect.regions(2, more, part);
        more.insert(more.begin(), {"--sites", "hook_embed"});
        expect.activations(2, more, part);
    };
    both({"--bogus"}, "--bogus");
    both({"left-over"}, "left-over");
    both({"--threads", "-1"}, "--threads");
    both({"--threads", "many"}, "--threads");
    both({"--dtype", "fp16"}, "--dtype");
    both({"--backend", "tpu"}, "--backend");
    both({"--seed", "-1"}, "--seed");
    both({"--prompts", "more.txt"}, "--prompts");
    both({"--corpus", "more.txt"}, "--corpus");
    both({"--count", "3"}, "--corpus");
    both({"--bos", "maybe"}, "--bos");
    both({"--bos"}, "--bos");
    expect.regions(2, {"--tokens", tokens, "--steps", "1"}, "--steps must be at least 2");
    expect.regions(2, {"--tokens", tokens, "--steps", "0"}, "--steps");
    expect.regions(2, {"--tokens", tokens, "--steps", "-5"}, "--steps");
    expect.regions(2, {"--tokens", tokens, "--steps", "some"}, "--steps");
    expect.regions(2, {"--tokens", tokens, "--top-k", "-1"}, "--top-k");
    expect.regions(2, {"--tokens", tokens, "--top-k", "1000000"}, "the vocabulary has");
    expect.regions(2, {"--tokens", tokens, "--path", "bend"}, "linear");
    expect.regions(2, {"--tokens", tokens, "--min-d1", "nan"}, "--min-d1");
    expect.regions(2, {"--tokens", tokens, "--min-d1", "-1"}, "--min-d1");
    expect.regions(2, {"--tokens", tokens, "--pairs", "chains"}, "chain, disjoint");
    expect.activations(2, {"--tokens", tokens}, "--sites");
    expect.activations(2, {"--tokens", tokens, "--sites", ","}, "--list");
    fail(2, "activations", {"--model", model, "--tokens", tokens, "--sites", "*"}, "--out");
}

TEST_CASE("tokens that are no prompts are status 2", "[programs][usage]") {
    failures const expect;
    auto const both = [&](int status, std::string const& name, std::string const& part) {
        CAPTURE(name);
        expect.regions(status, {"--tokens", expect.path(name)}, part);
        expect.activations(status, {"--sites", "*", "--tokens", expect.path(name)}, part);
    };
    std::vector<std::int64_t> const ones(130, 1), none;
    auto const store = [&](std::string const& name, auto const& values, std::initializer_list<index> shape) {
        write_npy(std::filesystem::path(expect.path(name)), values, shape);
        return name;
    };
    both(2, store("float.npy", std::vector<float>(10, 1), {2, 5}), "integers");
    both(2, store("double.npy", std::vector<double>(10, 1), {2, 5}), "integers");
    both(2, store("flat.npy", std::vector<std::int64_t>(10, 1), {10}), "[prompts, length]");
    both(2, store("cube.npy", std::vector<std::int64_t>(8, 1), {2, 2, 2}), "[prompts, length]");
    both(2, store("no_prompts.npy", none, {0, 5}), "[prompts, length]");
    both(2, store("no_tokens.npy", none, {2, 0}), "[prompts, length]");
    both(2, store("long.npy", ones, {2, 65}), "64");
    both(2, store("outside.npy", std::vector<std::int64_t>{1, 2, 66, 67}, {2, 2}), "67");
    both(2, store("far.npy", std::vector<std::int64_t>{1, 2, 3, std::numeric_limits<std::int64_t>::max()}, {2, 2}),
         "no token id");
    both(2, store("negative.npy", std::vector<std::int32_t>{1, 2, -1, 4}, {2, 2}), "-1");
    expect.regions(2, {"--tokens", expect.path(store("single.npy", std::vector<std::int64_t>(5, 1), {1, 5}))},
                   "two prompts");

    auto const whole = bytes_of(expect.path("outside.npy"));
    expect.dir.write("given/cut.npy", whole.substr(0, whole.size() - 3));
    expect.dir.write("given/garbage.npy", "this is no array");
    expect.dir.write("given/empty.npy", "");
    both(1, "cut.npy", "cut.npy");
    both(1, "garbage.npy", "garbage.npy");
    both(1, "empty.npy", "empty.npy");
    both(1, "absent.npy", "absent.npy");
    both(1, ".", "given");
}

TEST_CASE("a file of pairs must hold pairs of the prompts", "[programs][usage]") {
    failures const expect;
    auto const fails = [&](int status, std::string const& part) {
        expect.regions(status, {"--tokens", tokens, "--pairs", expect.path("pairs.npy")}, part);
    };
    auto const store = [&](auto const& values, std::initializer_list<index> shape) {
        write_npy(std::filesystem::path(expect.path("pairs.npy")), values, shape);
    };
    store(std::vector<std::int64_t>(6, 0), {2, 3});
    fails(2, "[P,2]");
    store(std::vector<std::int64_t>(2, 0), {2});
    fails(2, "[P,2]");
    store(std::vector<std::int64_t>{}, {0, 2});
    fails(2, "no pair");
    store(std::vector<std::int64_t>{0, 1, 1, 2}, {2, 2});
    fails(2, "a pair names prompt 2, there are 2");
    store(std::vector<std::int32_t>{0, -1}, {1, 2});
    fails(2, "-1");
    store(std::vector<double>{0, 1}, {1, 2});
    fails(2, "integers");
    expect.dir.write("given/pairs.npy", "garbage");
    fails(1, "pairs.npy");
}

TEST_CASE("unknown hook points are refused with the nearest names", "[programs][usage]") {
    failures const expect;
    auto const regions = [&](words more, std::string const& part) {
        more.insert(more.begin(), {"--tokens", tokens});
        expect.regions(1, more, part);
    };
    regions({"--write-site", "blocks.0.hook_resid_pos"}, "blocks.0.hook_resid_post");
    regions({"--read-site", "ln_final.hook_output"}, "ln_final.hook_out");
    regions({"--write-site", "blocks.3.hook_resid_post"}, "blocks.2.hook_resid_post");
    regions({"--read-site", "blocks.-1.hook_resid_post"}, "nearest");
    regions({"--write-site", "blocks.*.hook_resid_post"}, "names 3 hook points");
    regions({"--write-site", "blocks.1.hook_resid_post", "--read-site", "blocks.0.hook_resid_post"},
            "before the write site");
    regions({"--write-site", "blocks.0.attn.hook_pattern"}, "cannot be a write site");
    regions({"--write-site", "unembed.hook_out"}, "cannot be a write site");
    expect.activations(1, {"--tokens", tokens, "--sites", "blocks.0.hook_resid_prost"}, "blocks.0.hook_resid_post");
    expect.activations(1, {"--tokens", tokens, "--sites", "blocks.3.*"}, "nearest");
    expect.activations(1, {"--tokens", tokens, "--sites", "hook_embed,nothing*"}, "nothing*");
}

TEST_CASE("outputs that cannot be written are one message, and nothing is left", "[programs][failures]") {
    failures const expect;
    auto const file = expect.dir.write("given/file", "kept").string();
    words const regions{"--model", model, "--tokens", tokens, "--out"},
        activations{"--model", model, "--tokens", tokens, "--sites", "*", "--out"};
    auto const with = [](words all, std::string const& out) {
        all.push_back(out);
        return all;
    };
    fail(1, "stable_regions", with(regions, file), "is a file");
    fail(1, "stable_regions", with(regions, file + "/deeper"), file);
    fail(1, "activations", with(activations, expect.path("")), "directory");
    fail(1, "activations", with(activations, expect.path("absent/a.npz")), "create the directory first");
    fail(1, "activations", with(activations, file + "/a.npz"), file);
    CHECK(bytes_of(file) == "kept");
    CHECK(names_in(expect.dir / "given") == std::set<std::string>{"file"});
}

TEST_CASE("a disk that fills half-way is one message, and nothing is left", "[programs][failures]") {
    failures const expect;
    // sh counts blocks of 512 bytes or, as bash, of 1024
    auto const limited = [&](int blocks, std::string const& program, words const& more) {
        words all{"sh",
                  "-c",
                  "ulimit -f " + std::to_string(blocks) + "; exec \"$@\"",
                  "sh",
                  std::string(baked::programs) + "/" + program,
                  "--model",
                  model,
                  "--tokens",
                  tokens};
        all.insert(all.end(), more.begin(), more.end());
        auto const result = plateau::testing::run_process(all, environment());
        CAPTURE(blocks, program, result.err);
        CHECK(result.status == 1);
        CHECK(result.err.rfind(program + ": cannot ", 0) == 0);
        CHECK_THAT(result.err, contains("free some space"));
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
        CHECK(result.out.empty());
        CHECK(names_in(expect.dir.path()) == std::set<std::string>{"given"});
    };
    auto const out = (expect.dir / "out").string();
    limited(0, "stable_regions", {"--out", out});
    limited(8, "stable_regions", {"--out", out, "--steps", "200"});  // curves.csv
    limited(64, "stable_regions", {"--out", out, "--steps", "20"});  // curves.png
    limited(0, "activations", {"--sites", "hook_embed", "--out", out});
    limited(8, "activations", {"--sites", "*", "--out", out});

    // what an earlier run left stays whole
    succeed("stable_regions", {"--model", model, "--tokens", tokens, "--steps", "5", "--out", expect.path("old")});
    auto const names = names_in(expect.path("old"));
    auto const summary = bytes_of(expect.path("old/summary.json"));
    limited(8, "stable_regions", {"--out", expect.path("old"), "--steps", "200"});
    CHECK(names_in(expect.path("old")) == names);
    CHECK(bytes_of(expect.path("old/summary.json")) == summary);
}

TEST_CASE("more than memory holds is one message, at once", "[programs][failures]") {
    failures const expect;
    for (auto const* steps : {"1000000000000", "9000000000000000000"}) {
        expect.regions(1, {"--tokens", tokens, "--steps", steps}, "fewer steps");
    }
}

TEST_CASE("a reader that goes away or a full stdout does not cost the results", "[programs][failures]") {
    scratch_dir const dir;
    auto const shell = [&](std::string const& line) {
        return plateau::testing::run_process(
            {"sh", "-c", line, "sh", baked::programs, model, tokens, (dir / "out").string()}, environment());
    };
    auto const full = shell("\"$1/stable_regions\" --model \"$2\" --tokens \"$3\" --out \"$4\" --steps 3 > /dev/full");
    CHECK(full.status == 0);
    CHECK_THAT(full.err, contains("stdout cannot be written to"));
    CHECK(names_in(dir / "out").count("summary.json") == 1);
    auto const list = shell("\"$1/activations\" --model \"$2\" --list > /dev/full");
    CHECK(list.status == 1);
    CHECK_THAT(list.err, contains("cannot write the list"));
}

TEST_CASE("--help lists every option and every file, --version the version", "[programs][usage]") {
    words const common{"--help",    "--version", "--model",  "--dtype", "fp32",      "fp64",   "bf16",
                       "--backend", "cpu",       "cuda",     "auto",    "--threads", "--seed", "--out",
                       "--tokens",  "--prompts", "--corpus", "--count", "--length",  "--bos"};
    words const of_regions{"--pairs",
                           "chain",
                           "disjoint",
                           "--write-site",
                           "blocks.0.hook_resid_post",
                           "--read-site",
                           "ln_final.hook_out",
                           "--path",
                           "linear",
                           "--steps",
                           "50",
                           "--min-d1",
                           "--kl",
                           "--top-k",
                           "kl.npy",
                           "kl_reverse.npy",
                           "top_tokens.npy",
                           "top_log_probs.npy",
                           "[P,S,K]",
                           "distances.npy",
                           "relative.npy",
                           "max_slope.npy",
                           "alpha_jump.npy",
                           "tokens.npy",
                           "lengths.npy",
                           "pairs.npy",
                           "curves.csv",
                           "pair,context,other,alpha,distance,relative",
                           "curves.png",
                           "summary.json",
                           "[P,S]",
                           "[P,2]",
                           "[N,T]",
                           "float64",
                           "int64",
                           "program",
                           "version",
                           "load_seconds",
                           "points_per_second",
                           "options",
                           "degenerate_pairs",
                           "max_slope_q25",
                           "max_slope_median",
                           "max_slope_q75",
                           "alpha_jump_median"};
    words const of_activations{"--sites", "--list",  "tokens", "lengths", "[N,T]", "[N,H,T,T]",
                               "float32", "float64", "int64",  "-inf",    "NaN"};
    for (auto const& [program, own] :
         {std::pair{"stable_regions", of_regions}, std::pair{"activations", of_activations}}) {
        auto const help = succeed(program, {"--help"});
        for (auto const& list : {common, own}) {
            for (auto const& word : list) CHECK_THAT(help.out, contains(word));
        }
        auto const version = succeed(program, {"--version"}).out;
        CHECK(version.size() > 3);
        CHECK(version.size() < 40);
        CHECK(version.find_first_of("0123456789") != std::string::npos);
    }
}

TEST_CASE("an option of --help and its text are two spaces or a line apart", "[programs][usage]") {
    for (auto const* program : {"stable_regions", "derivatives", "blow_up", "predict_jump"}) {
        std::istringstream lines{succeed(program, {"--help"}).out};
        int options = 0;
        for (std::string line, before; std::getline(lines, line); before = line) {
            if (before.rfind("  -", 0) != 0) continue;
            CAPTURE(program, before);
            ++options;
            // the text begins in column 30, on this line or the next
            bool const here = before.size() > 30 && before.compare(28, 2, "  ") == 0 && before[30] != ' ';
            CHECK((here || line.rfind(std::string(30, ' '), 0) == 0));
        }
        CHECK(options > 20);
    }
}

}  // namespace
