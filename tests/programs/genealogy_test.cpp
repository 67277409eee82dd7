// The program genealogy: its files beside one another and beside stable_regions, and what it refuses.

#include <cstdint>

#include <plateau/io/npy.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

words with(words all, words const& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// Three random models as if they were checkpoints of one training, others that are not, and seven prompts.
struct random_training {
    random_training() {
        std::uint64_t seed = 3;
        for (auto const* name : {"step-8", "step-32", "step-128"}) write(name, tiny::checkpoint{seed++});
        tiny::checkpoint words_more{9};
        words_more.vocab = 40;
        for (auto const* tensor : {"model.embed_tokens.weight", "lm_head.weight"}) {
            words_more.tensors.at(tensor).shape = {40, words_more.d_model};
            words_more.tensors.at(tensor).values.resize(static_cast<std::size_t>(40 * words_more.d_model), 0.1f);
        }
        write("other", words_more);
        prompts = tiny::random_prompts(5, std::vector<index>(7, 6), 37);
        tokens = write_tokens(dir / "tokens.npy", prompts);
    }
    void write(std::string const& name, tiny::checkpoint const& model) const {
        std::filesystem::create_directory(dir / name);
        model.write(dir / name);
    }
    std::string path(std::string const& name) const { return (dir / name).string(); }
    std::string all() const { return path("step-8") + "," + path("step-32") + "," + path("step-128"); }
    words run(std::string const& checkpoints, std::string const& out, words const& more = {}) const {
        return with({"--checkpoints", checkpoints, "--tokens", tokens, "--out", path(out), "--resamples", "30",
                     "--steps", "9", "--dtype", "fp64"},
                    more);
    }

    scratch_dir dir;
    std::vector<std::vector<plateau::token_id>> prompts;
    std::string tokens;
};

std::vector<std::int64_t> integers(std::filesystem::path const& file) { return read_npy<std::int64_t>(file).values; }

TEST_CASE("partitions of a genealogy agree with stable_regions and with each other", "[programs][genealogy]") {
    random_training const given;
    auto const result = succeed("genealogy", given.run(given.all(), "out", {"--contexts", "2,5"}));
    CHECK_THAT(result.out, contains("3 checkpoints, 7 prompts, 2 contexts, 9 points of a pair"));
    auto const out = given.dir / "out";
    CHECK(integers(out / "steps.npy") == std::vector<std::int64_t>{8, 32, 128});
    CHECK(integers(out / "contexts.npy") == std::vector<std::int64_t>{2, 5});
    auto const labels = read_npy<std::int64_t>(out / "labels.npy");
    CHECK(labels.shape == std::vector<index>{3, 2, 7});
    for (auto const* name : {"components.npy", "slope_components.npy"}) {
        auto const found = read_npy<std::int64_t>(out / name);
        CHECK(found.shape == labels.shape);
        for (std::size_t k = 0; k < found.values.size(); ++k) {
            auto const first = static_cast<std::size_t>(found.values[k]), own = k % 7;
            CHECK(first <= own);
            CHECK(found.values[k - own + first] == found.values[k]);
            if (std::string(name) == "components.npy") CHECK(labels.values[k - own + first] == labels.values[k]);
        }
    }
    std::vector<std::int64_t> pairs;
    for (std::int64_t const context : {2, 5}) {
        for (std::int64_t other = 0; other < 7; ++other) pairs.insert(pairs.end(), {context, other});
    }
    plateau::io::write_npy(given.dir / "pairs.npy", pairs, {14, 2});
    std::size_t at = 0;
    for (auto const* name : {"step-8", "step-32", "step-128"}) {
        succeed("stable_regions",
                {"--model", given.path(name), "--tokens", given.tokens, "--out", given.path("s"), "--dtype", "fp64",
                 "--steps", "9", "--pairs", given.path("pairs.npy"), "--top-k", "1"});
        auto const likeliest = integers(given.dir / "s/top_tokens.npy");  // [14, 9, 1]
        for (std::size_t p = 0; p < 14; ++p, ++at) {
            CHECK(labels.values[at] == likeliest[9 * p + 8]);
            auto const own = at - p % 7 + static_cast<std::size_t>(pairs[2 * p]);
            CHECK(labels.values[own] == likeliest[9 * p]);
        }
    }
    auto const summary = json_of(out / "summary.json");
    CHECK(summary.at("checkpoints") == nlohmann::json{"step-8", "step-32", "step-128"});
    for (std::string const rule : {"token", "joined", "slope"}) {
        for (std::string const kind : {"splitting_", "merging_"}) {
            CHECK(summary.at(kind + rule).size() == 3);
            CHECK(summary.at(kind + "floor_" + rule).size() == 3);
            CHECK(summary.at(kind + rule)[0].size() == 3);
        }
    }
    CHECK(summary.at("order_clock").is_null());
    CHECK(names_in(out).count("lengths.npy") == 0);
    for (auto const* name : {"splitting.csv", "information.csv", "stability.csv", "clocks.csv", "tree.csv"})
        CHECK(names_in(out).count(name) == 1);
#if PLATEAU_HAS_CAIRO
    CHECK((names_in(out).count("genealogy.png") == 1 && names_in(out).count("training.png") == 1));
#endif

    succeed("genealogy", given.run(given.all(), "one", {"--contexts", "2,5", "--threads", "1"}));
    check_same_files(out, given.dir / "one");
}

TEST_CASE("checkpoints of the same weights split nothing; two prompts and one context are enough",
          "[programs][genealogy]") {
    random_training const given;
    auto const twice = given.path("step-8") + "," + given.path("step-8");
    auto const result = run("genealogy", given.run(twice, "out"));
    CHECK(result.status == 0);
    CHECK_THAT(result.err, contains("have the same weights"));
    auto const summary = json_of(given.dir / "out/summary.json");
    for (std::string const rule : {"token", "joined", "slope"}) {
        for (std::string const kind : {"splitting_", "merging_"}) {
            auto const& change = summary.at(kind + rule)[0][0];
            CHECK((change.is_null() || change == 0));
        }
    }
    CHECK(integers(given.dir / "out/contexts.npy") == std::vector<std::int64_t>{0, 1, 2, 3});

    auto const two =
        write_tokens(given.dir / "two.npy", std::vector<std::vector<plateau::token_id>>{{1, 2, 3}, {4, 5, 6}});
    succeed("genealogy", {"--checkpoints", given.all(), "--tokens", two, "--contexts", "1", "--steps", "2", "--out",
                          given.path("two")});
    CHECK(read_npy<std::int64_t>(given.dir / "two/labels.npy").shape == std::vector<index>{3, 1, 2});
    CHECK(json_of(given.dir / "two/summary.json").at("splitting_floor_token")[0][0].is_null());
    auto const same = write_tokens(given.dir / "same.npy", std::vector<std::vector<plateau::token_id>>{{1, 2}, {1, 2}});
    succeed("genealogy",
            {"--checkpoints", given.all(), "--tokens", same, "--out", given.path("same")});  // all degenerate
    CHECK(integers(given.dir / "same/slope_components.npy") == std::vector<std::int64_t>(12, 0));
}

TEST_CASE("a text tells how differently prompts go on, and gives a second clock", "[programs][genealogy]") {
    scratch_dir const dir;
    auto const prompts = dir.write(
        "prompts.txt", " She had always\n The house\n He said that the\n It was the\n in the morning\n of the house\n");
    std::string story;
    for (int i = 0; i < 30; ++i)
        story += " She had always said that the house was in the morning. The house of the man.";
    auto const text = dir.write("text.txt", story);
    auto const given = [&](char const* out, words const& more) {
        return with(
            {"--prompts", prompts.string(), "--steps", "12", "--resamples", "20", "--out", (dir / out).string()}, more);
    };
    succeed("genealogy", given("out", {"--divergence-corpus", text.string(), "--min-count", "5"}));
    CHECK(integers(dir / "out/steps.npy").size() == 8);
    CHECK_THAT(plateau::testing::bytes_of(dir / "out/clocks.csv"), contains("step,sharpness,sharpness_low"));
    CHECK_FALSE(json_of(dir / "out/summary.json").at("sharpness_clock").is_null());
    succeed("genealogy", given("none", {}));
    CHECK(integers(dir / "none/labels.npy") == integers(dir / "out/labels.npy"));
    CHECK(json_of(dir / "none/summary.json").at("order_clock").is_null());
}

TEST_CASE("genealogies without sense are refused, and leave nothing", "[programs][genealogy]") {
    random_training const given;
    auto const before = names_in(given.dir.path());
    auto const refused = [&](int status, std::string const& checkpoints, words const& more, std::string const& part) {
        fail(status, "genealogy", given.run(checkpoints, "out", more), part);
        CHECK(names_in(given.dir.path()) == before);
    };
    refused(2, given.path("step-8"), {}, "at least two checkpoints");
    refused(2, given.all(), {"--contexts", "7"}, "there are 7, counted from 0");
    refused(2, given.all(), {"--contexts", "-1"}, "a context is prompt -1");
    refused(2, given.all(), {"--contexts", "1,1"}, "named twice");
    refused(2, given.path("step-8") + "," + given.path("other"), {}, "give checkpoints of one training");
    refused(1, given.path("step-8") + "," + given.path("absent"), {}, "absent");
    refused(2, given.all(), {"--steps", "1"}, "--steps");
    refused(2, given.all(), {"--resamples", "0"}, "--resamples");
    refused(2, given.all(), {"--same-region", "0"}, "--same-region");
    refused(2, given.all(), {"--pairs", "chain"}, "--pairs");
    refused(1, given.all(), {"--divergence-corpus", given.tokens}, "token ids");  // the model knows no text
    auto const one = write_tokens(given.dir / "tokens.npy", std::vector<std::vector<plateau::token_id>>{{1, 2, 3}});
    refused(2, given.all(), {}, "at least 2 prompts");
    fail(2, "genealogy", {"--model", given.path("step-8"), "--tokens", one, "--out", given.path("out")},
         "has no folder 'checkpoints'");
}

}  // namespace
