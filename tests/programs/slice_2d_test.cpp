// The program slice_2d: its files, which prompts it takes, checkpoints, and what it refuses.

#include <cmath>
#include <cstdint>

#include <plateau/engine/load.hpp>
#include <plateau/sweep/slice.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::token_id;
using plateau::io::read_npy;
using plateau::testing::contains;
using plateau::testing::scratch_dir;
namespace paths = plateau::paths;

std::string const model = golden_model("llama_gqa");

std::set<std::string> files_with(std::set<std::string> arrays, [[maybe_unused]] std::set<std::string> const& pictures) {
    arrays.insert({"alpha.npy", "d_a.npy", "d_b.npy", "d_c.npy", "slices.csv", "summary.json", "tokens.npy"});
#if PLATEAU_HAS_CAIRO
    arrays.insert(pictures.begin(), pictures.end());
    arrays.insert("slice.png");
#endif
    return arrays;
}

struct prompts_file {
    std::vector<std::vector<token_id>> prompts{
        {3, 5, 7, 11, 13, 17}, {3, 5, 8, 11, 13, 19}, {2, 9, 4, 21, 6, 8}, {1, 7, 7, 9, 30, 4}, {12, 3, 5, 6, 2, 31}};
    scratch_dir dir;
    std::string tokens = write_tokens(dir / "tokens.npy", prompts);

    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", model, "--tokens", tokens, "--out", (dir / out).string(), "--grid", "5"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    std::string integers(std::string const& name, std::vector<std::int64_t> const& values, index columns) const {
        plateau::io::write_npy(dir / name, values, {static_cast<index>(values.size()) / columns, columns});
        return (dir / name).string();
    }
};

TEST_CASE("slice_2d leaves the distances of the library, and the labels", "[programs][slice_2d]") {
    prompts_file const given;
    auto const out = given.dir / "out";
    auto const result = succeed("slice_2d", given.with("out", {"--dtype", "fp64", "--labels", "--boundary"}));
    CHECK(names_in(out) ==
          files_with({"labels.npy", "boundary_a.npy", "boundary_b.npy"}, {"labels.png", "boundary.png"}));
    auto const loaded = plateau::load<double>(model, {.backend = {.threads = 1}});
    paths::surface_grid const grid{paths::even_grid(-0.25, 1.25, 5), paths::even_grid(-0.25, 1.25, 5)};
    auto const expected = plateau::sweep::slice(loaded, given.prompts, {0, 1, 2}, grid);
    for (index k = 0; k < 3; ++k) {
        auto const written = read_npy<double>(out / (std::string("d_") + "abc"[k] + ".npy"));
        CHECK(written.shape == std::vector<index>{5, 5});
        CHECK(written.values ==
              std::vector<double>(expected.distances[k].flat().begin(), expected.distances[k].flat().end()));
    }
    CHECK(read_npy<double>(out / "alpha.npy").values == grid.u);
    auto const labels = read_npy<std::int64_t>(out / "labels.npy");
    CHECK(labels.shape == std::vector<index>{3, 5, 5});
    for (auto const label : labels.values) CHECK((label >= 0 && label < loaded.vocabulary()));
    for (auto const* name : {"boundary_a.npy", "boundary_b.npy"})
        CHECK(read_npy<double>(out / name).shape == std::vector<index>{5, 5});
    CHECK(read_npy<double>(out / "boundary_a.npy").values[2 * 5 + 0] == 0);  // beta = 0, alpha = 0 is A
    CHECK(read_npy<double>(out / "boundary_b.npy").values[2 * 5 + 4] == 0);
    CHECK(read_npy<double>(out / "boundary_a.npy").values[2 * 5 + 4] > 0);

    auto const summary = json_of(out / "summary.json");
    for (auto const* key :
         {"program", "version", "model", "dtype", "backend", "instruction_set", "threads", "seed", "seconds",
          "load_seconds", "points_per_second", "options", "alpha_mean", "alpha_jump_predicted"}) {
        CHECK(summary.contains(key));
    }
    CHECK(summary.at("grid") == 5);
    CHECK(summary.at("range") == std::vector<double>{-0.25, 1.25});
    CHECK(summary.at("slices") == 1);
    CHECK(summary.at("anchors").dump() == "[[0,1,2]]");
    CHECK(summary.at("anchor_coordinates")[0][2][0] == expected.anchors[2][0]);
    CHECK(summary.at("components")[0].size() == 3);
    for (double const share : summary.at("boundary_fraction")[0]) CHECK((share >= 0 && share <= 1));
    CHECK_THAT(result.out, contains("max d_A"));
    CHECK_THAT(result.out, contains("jump predicted"));

    succeed("slice_2d", given.with("out"));  // what the first run left does not stay
    CHECK(names_in(out) == files_with({}, {}));
}

TEST_CASE("slice_2d leaves the same bytes for any number of threads", "[programs][slice_2d]") {
    prompts_file const given;
    for (auto const* threads : {"1", "2", "3"})
        succeed("slice_2d", given.with(threads, {"--threads", threads, "--labels", "--boundary", "--pairs", "chain"}));
    for (auto const* threads : {"2", "3"}) check_same_files(given.dir / "1", given.dir / threads);
}

TEST_CASE("triples come from a file, from pairs, from chains", "[programs][slice_2d]") {
    prompts_file const given;
    auto const anchors_of = [&](words const& more) {
        succeed("slice_2d", given.with("out", more));
        return json_of(given.dir / "out/summary.json").at("anchors").dump();
    };
    CHECK(anchors_of({}) == "[[0,1,2]]");
    CHECK(anchors_of({"--anchors", given.integers("one.npy", {4, 0, 3}, 3)}) == "[[4,0,3]]");
    auto const single = read_npy<double>(given.dir / "out/d_a.npy");
    CHECK(anchors_of({"--anchors", given.integers("two.npy", {1, 2, 3, 4, 0, 3}, 3)}) == "[[1,2,3],[4,0,3]]");
    auto const both = read_npy<double>(given.dir / "out/d_a.npy");
    CHECK(both.shape == std::vector<index>{2, 5, 5});
    CHECK(std::vector<double>(both.values.begin() + 25, both.values.end()) == single.values);
    CHECK(names_in(given.dir / "out") == files_with({}, {"slices.apng", "slice_own.png"}));
    CHECK(anchors_of({"--pairs", given.integers("pairs.npy", {0, 1, 3, 0}, 2)}) == "[[0,1,2],[3,0,1]]");
    CHECK(anchors_of({"--pairs", "chain"}) == "[[0,1,2],[1,2,3],[2,3,4]]");
    CHECK(anchors_of({"--pairs", "disjoint"}) == "[[0,1,2]]");
    CHECK(anchors_of({"--range", "0,1"}) == "[[0,1,2]]");
    CHECK(read_npy<double>(given.dir / "out/d_a.npy").values[0] == 0);
    CHECK(read_npy<double>(given.dir / "out/d_b.npy").values[4] == 0);
}

TEST_CASE("checkpoints have a slice each, in the order of their names", "[programs][slice_2d]") {
    scratch_dir const dir;
    std::vector<std::string> folders;
    for (auto const& [name, seed] :
         std::vector<std::pair<std::string, std::uint64_t>>{{"all/step-2", 5}, {"all/step-1", 6}, {"last", 7}}) {
        std::filesystem::create_directories(dir / name);
        tiny::checkpoint{seed}.write(dir / name);
        folders.push_back((dir / name).string());
    }
    auto const tokens = write_tokens<std::int64_t>(dir / "tokens.npy", {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
    auto const run = [&](std::string const& checkpoints, std::string const& out) {
        return succeed("slice_2d",
                       {"--checkpoints", checkpoints, "--tokens", tokens, "--grid", "4", "--out", (dir / out).string()})
            .out;
    };
    CHECK_THAT(run((dir / "all").string() + "," + folders[2], "out"), contains("3 checkpoints"));
    auto const summary = json_of(dir / "out/summary.json");
    CHECK(summary.at("checkpoints") == std::vector<std::string>{"step-1", "step-2", "last"});
    CHECK(summary.at("slices") == 3);
    auto const all = read_npy<double>(dir / "out/d_c.npy");
    CHECK(all.shape == std::vector<index>{3, 4, 4});
    run(folders[0], "one");
    CHECK(read_npy<double>(dir / "one/d_c.npy").values ==
          std::vector<double>(all.values.begin() + 16, all.values.begin() + 32));
}

TEST_CASE("slice_2d refuses what has no slice, and leaves nothing", "[programs][slice_2d]") {
    prompts_file const given;
    auto const expect = [&](int status, words const& more, std::string const& part) {
        fail(status, "slice_2d", given.with("out", more), part);
        CHECK_FALSE(std::filesystem::exists(given.dir / "out"));
    };
    for (auto const* range : {"1", "1,0", "0,0", "a,b", "0,1,2", "nan,1", "0,inf", ""})
        expect(2, {"--range", range}, "--range");
    expect(2, {"--frame-seconds", "0"}, "--frame-seconds");
    expect(2, {"--anchors", "absent.npy"}, "no such file");
    expect(2, {"--anchors", given.integers("pair.npy", {0, 1}, 2)}, "[n,3]");
    expect(2, {"--anchors", given.integers("far.npy", {0, 1, 5}, 3)}, "prompt 5, there are 5");
    expect(2, {"--anchors", given.integers("below.npy", {0, 1, -1}, 3)}, "prompt -1");
    expect(1, {"--anchors", given.integers("same.npy", {0, 1, 1}, 3)}, "on one line");
    expect(2, {"--pairs", given.integers("three.npy", {0, 1, 2}, 3)}, "[n,2]");
    expect(2, {"--pairs", "chain", "--anchors", given.integers("good.npy", {0, 1, 2}, 3)}, "--anchors");
    expect(2, {"--checkpoints", model}, "--model");
    expect(1, {"--write-site", "blocks.0.attn.hook_pattern"}, "as many values as its prompt has tokens");
    expect(1, {"--read-site", "blocks.0.hook_resid_pre"}, "read");
    auto const two = write_tokens<std::int64_t>(given.dir / "two_prompts.npy", {{1, 2}, {3, 4}});
    fail(2, "slice_2d", {"--model", model, "--tokens", two, "--out", (given.dir / "out").string()},
         "three prompts, there are 2");
    fail(2, "slice_2d", {"--model", model, "--tokens", two, "--grid", "1", "--out", (given.dir / "out").string()},
         "--grid");
    std::filesystem::create_directories(given.dir / "empty");
    fail(2, "slice_2d", {"--checkpoints", (given.dir / "empty").string(), "--out", (given.dir / "out").string()},
         "neither a model nor a folder of models");
    fail(2, "slice_2d",
         {"--checkpoints", model + "," + model, "--tokens", given.tokens, "--pairs", "chain", "--out",
          (given.dir / "out").string()},
         "one triple");
    CHECK_FALSE(std::filesystem::exists(given.dir / "out"));
}

TEST_CASE("slice_2d needs no option", "[programs][slice_2d]") {
    scratch_dir const dir;
    succeed("slice_2d", {"--out", (dir / "out").string(), "--grid", "9"});
    CHECK(names_in(dir / "out") == files_with({}, {}));
    auto const distances = read_npy<double>(dir / "out/d_a.npy");
    CHECK(*std::max_element(distances.values.begin(), distances.values.end()) > 5);
}

TEST_CASE("slice_2d --help names everything", "[programs][slice_2d]") {
    auto const help = succeed("slice_2d", {"--help"}).out;
    for (auto const* word : {"--model",
                             "--anchors",
                             "--pairs",
                             "--grid",
                             "--range",
                             "--write-site",
                             "--read-site",
                             "--checkpoints",
                             "--labels",
                             "--boundary",
                             "--frame-seconds",
                             "d_a.npy",
                             "d_b.npy",
                             "d_c.npy",
                             "alpha.npy",
                             "labels.npy",
                             "boundary_a.npy",
                             "tokens.npy",
                             "lengths.npy",
                             "slices.csv",
                             "slice.png",
                             "slices.apng",
                             "slice_own.png",
                             "labels.png",
                             "boundary.png",
                             "summary.json",
                             "[G,G]",
                             "[3,G,G]",
                             "float64",
                             "int64",
                             "components",
                             "boundary_fraction",
                             "anchor_coordinates",
                             "unit of the read-out"}) {
        CHECK_THAT(help, contains(word));
    }
}

}  // namespace
