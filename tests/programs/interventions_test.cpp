// stable_regions with interventions: what --context, --position, --mode and --freeze do, and what they leave.

#include <cmath>
#include <sstream>

#include <plateau/io/npz.hpp>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

using numbers = std::vector<double>;
using ids = std::vector<std::int64_t>;

/// A random model and six prompts of seven tokens; the first three share 4, 2 and 4 tokens with the next one.
struct small_model {
    small_model() {
        tiny::checkpoint const model{3};
        model.write(dir.path());
        prompts = tiny::random_prompts(5, std::vector<index>(6, 7), model.vocab);
        for (auto const& [from, to, count] : {std::array<std::size_t, 3>{0, 1, 4}, {1, 2, 2}, {2, 3, 4}}) {
            std::copy_n(prompts[from].begin(), count, prompts[to].begin());
            prompts[to][count] = (prompts[from][count] + 1) % static_cast<plateau::token_id>(model.vocab);
        }
        tokens = write_tokens(dir / "prompts.npy", prompts);
    }

    words with(std::string const& out, words const& more = {}) const {
        words all{"--model", dir.path().string(), "--tokens", tokens,  "--steps",
                  "5",       "--dtype",           "fp64",     "--out", (dir / out).string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    std::filesystem::path run(std::string const& out, words const& more = {}) const {
        succeed("stable_regions", with(out, more));
        return dir / out;
    }

    /// Read-outs of the prompts' own runs at their last positions, [6][D].
    std::vector<numbers> natural(std::string const& site) const {
        auto const file = (dir / "natural.npz").string();
        succeed("activations", {"--model", dir.path().string(), "--tokens", tokens, "--sites", site, "--dtype", "fp64",
                                "--out", file});
        auto const all = plateau::io::npz_reader{file}.read<double>(site);
        std::vector<numbers> last;
        for (index i = 0; i < 6; ++i) {
            auto const begin = all.values.begin() + ((i + 1) * 7 - 1) * all.shape[2];
            last.emplace_back(begin, begin + all.shape[2]);
        }
        return last;
    }

    scratch_dir dir;
    std::vector<std::vector<plateau::token_id>> prompts;
    std::string tokens;
};

numbers doubles(std::filesystem::path const& folder, std::string const& name) {
    return read_npy<double>(folder / name).values;
}
ids integers(std::filesystem::path const& folder, std::string const& name) {
    return read_npy<std::int64_t>(folder / name).values;
}

double distance(numbers const& a, numbers const& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

TEST_CASE("options that say what happens anyway change no number", "[programs][interventions]") {
    small_model const model;
    auto const plain = model.run("plain");
    CHECK(names_in(plain).count("transplant_gap.npy") == 0);
    for (auto const& more :
         {words{"--transplant-gap"}, words{"--context", "A"}, words{"--position", "last"}, words{"--position", "-1"},
          words{"--position=6:"}, words{"--mode", "last", "--context", "A"}}) {
        auto const out = model.run("out", more);
        for (auto const* name : {"distances.npy", "relative.npy", "max_slope.npy", "alpha_jump.npy", "pairs.npy",
                                 "tokens.npy", "curves.csv"}) {
            CAPTURE(more, name);
            CHECK(bytes_of(out / name) == bytes_of(plain / name));
        }
        CHECK(integers(out, "contexts.npy") == ids{0, 1, 2, 3, 4});
        CHECK(doubles(out, "transplant_gap.npy").size() == 5);
        auto const summary = json_of(out / "summary.json");
        CHECK(summary.at("transplant_gap_median").get<double>() > 0);
        CHECK(summary.at("mode") == "last");
        CHECK(summary.at("context") == "A");
    }
    model.run("out");
    CHECK(names_in(model.dir / "out") == names_in(plain));  // what this run did not write is gone
}

TEST_CASE("contexts: the same path in A, in B, in both", "[programs][interventions]") {
    small_model const model;
    auto const a = model.run("a", {"--context", "A"}), b = model.run("b", {"--context", "B"}),
               both = model.run("both", {"--context", "both"});
    CHECK(integers(b, "pairs.npy") == integers(a, "pairs.npy"));
    CHECK(integers(b, "contexts.npy") == ids{1, 2, 3, 4, 5});
    CHECK(integers(both, "contexts.npy") == ids{0, 1, 2, 3, 4, 1, 2, 3, 4, 5});
    for (auto const* name :
         {"distances.npy", "relative.npy", "max_slope.npy", "alpha_jump.npy", "transplant_gap.npy"}) {
        CAPTURE(name);
        auto first = doubles(a, name);
        auto const second = doubles(b, name);
        CHECK(first != second);
        first.insert(first.end(), second.begin(), second.end());
        CHECK(doubles(both, name) == first);
    }
    CHECK(read_npy<double>(both / "distances.npy").shape == std::vector<index>{10, 5});
    CHECK(json_of(both / "summary.json").at("pairs") == 10);
    // the pair turned around in its first prompt: the same rows in reverse
    plateau::io::write_npy(model.dir / "turned.npy", std::vector<std::int64_t>{1, 0}, {1, 2});
    auto const turned = model.run("turned", {"--pairs", (model.dir / "turned.npy").string(), "--transplant-gap"});
    CHECK(doubles(turned, "transplant_gap.npy")[0] == doubles(b, "transplant_gap.npy")[0]);
    CHECK(doubles(turned, "distances.npy")[4] == doubles(b, "distances.npy")[4]);
    std::istringstream lines{bytes_of(b / "curves.csv")};
    std::string line;
    std::getline(lines, line), std::getline(lines, line);
    CHECK(line.rfind("0,1,0,0,0,", 0) == 0);  // runs in prompt 1
}

TEST_CASE("the transplant gap is what it says", "[programs][interventions]") {
    small_model const model;
    auto const natural = model.natural("blocks.2.hook_resid_post");
    auto const out = model.run("out", {"--read-site", "blocks.2.hook_resid_post", "--write-site",
                                       "blocks.2.hook_resid_post", "--transplant-gap"});
    // written where it is read: the transplanted end is the other's own
    for (double gap : doubles(out, "transplant_gap.npy")) CHECK(gap == 0);
    auto const distances = doubles(out, "distances.npy");
    for (std::size_t p = 0; p < 5; ++p)
        CHECK(std::abs(distances[p * 5 + 4] - distance(natural[p], natural[p + 1])) < 1e-12);
}

TEST_CASE("in suffix mode both ends are natural runs", "[programs][interventions]") {
    small_model const model;
    auto const natural = model.natural("ln_final.hook_out");
    for (auto const* context : {"A", "B"}) {
        auto const out = model.run("out", {"--mode", "suffix", "--context", context});
        for (double gap : doubles(out, "transplant_gap.npy")) CHECK(gap == 0);
        auto const distances = doubles(out, "distances.npy");
        for (std::size_t p = 0; p < 5; ++p)
            CHECK(std::abs(distances[p * 5 + 4] - distance(natural[p], natural[p + 1])) < 1e-12);
        CHECK(json_of(out / "summary.json").at("mode") == "suffix");
    }
}

TEST_CASE("positions are written where they say", "[programs][interventions]") {
    small_model const model;
    auto const distances = [&](words const& more) { return doubles(model.run("out", more), "distances.npy"); };
    auto const middle = distances({"--position", "5"});
    CHECK(middle != distances({}));
    CHECK(distances({"--position", "-2"}) == middle);
    CHECK(distances({"--position=-2:-1"}) == middle);
    CHECK(distances({"--position", "5:6"}) == middle);
    auto const all = distances({"--position", ":"});
    CHECK(distances({"--position", "0:7"}) == all);
    plateau::io::write_npy(model.dir / "one.npy", std::vector<std::int64_t>{0, 1}, {1, 2});
    words const one{"--pairs", (model.dir / "one.npy").string()};
    auto const with_one = [&](words more) {
        more.insert(more.end(), one.begin(), one.end());
        return distances(more);
    };
    CHECK(with_one({"--mode", "suffix"}) == with_one({"--position", "4:"}));  // they share four tokens
}

TEST_CASE("several read sites of one sweep", "[programs][interventions]") {
    small_model const model;
    auto const all = model.run("all", {"--read-site", "ln_final.hook_out,blocks.1.hook_mlp_out,unembed.hook_out"});
    CHECK(doubles(all, "distances.npy") == doubles(model.run("one"), "distances.npy"));
    CHECK(doubles(all, "distances.2.npy") ==
          doubles(model.run("two", {"--read-site", "blocks.1.hook_mlp_out"}), "distances.npy"));
    CHECK(doubles(all, "distances.3.npy") ==
          doubles(model.run("three", {"--read-site", "unembed.hook_out"}), "distances.npy"));
    CHECK(bytes_of(all / "curves.csv") == bytes_of(model.dir / "one" / "curves.csv"));
    model.run("all");
    CHECK(names_in(all) == names_in(model.dir / "one"));  // those of the run before are gone
    fail(1, "stable_regions", model.with("no", {"--read-site", "ln_final.hook_out,nowhere"}), "nowhere");
}

TEST_CASE("frozen sites do not follow the path", "[programs][interventions]") {
    small_model const model;
    auto const free = doubles(model.run("out"), "distances.npy");
    for (auto const* value : {"A", "mean"}) {
        CAPTURE(value);
        auto const out =
            model.run("out", {"--freeze", std::string("blocks.*.hook_attn_out,blocks.*.hook_mlp_out@") + value,
                              "--read-site", "blocks.2.hook_resid_post"});
        auto const distances = doubles(out, "distances.npy");
        // the residual stream is x(α) + something fixed: a straight line, no plateau
        for (std::size_t p = 0; p < 5; ++p) {
            for (std::size_t i = 0; i < 5; ++i)
                CHECK(std::abs(distances[p * 5 + i] - distances[p * 5 + 4] * 0.25 * static_cast<double>(i)) < 1e-12);
        }
        auto const some =
            doubles(model.run("out", {"--freeze", std::string("blocks.2.mlp.hook_post@") + value}), "distances.npy");
        CHECK(some != free);
    }
    auto const mixed =
        doubles(model.run("out", {"--freeze", "blocks.1.hook_mlp_out@A,blocks.2.hook_mlp_out@mean"}), "distances.npy");
    CHECK(doubles(model.run("out", {"--freeze", "blocks.2.hook_mlp_out@mean", "--freeze", "blocks.1.hook_mlp_out@A"}),
                  "distances.npy") == mixed);
    CHECK(mixed != doubles(model.run("out", {"--freeze", "blocks.1.hook_mlp_out@A"}), "distances.npy"));
}

TEST_CASE("files with interventions are the same bytes for any number of threads",
          "[programs][interventions][threads]") {
    small_model const model;
    words const options{"--freeze",         "blocks.*.hook_mlp_out@mean,*ln2.hook_scale@A",
                        "--context",        "both",
                        "--position=-3:-1", "--kl",
                        "--top-k",          "2"};
    for (auto const* threads : {"1", "2", "3"}) {
        auto more = options;
        more.insert(more.end(), {"--threads", threads, "--steps", "80"});
        auto all = model.with(threads, more);
        all.erase(all.begin() + 4, all.begin() + 6);  // the steps of `with`
        succeed("stable_regions", all);
    }
    check_same_files(model.dir / "1", model.dir / "2");
    check_same_files(model.dir / "1", model.dir / "3");
}

TEST_CASE("interventions that make no sense", "[programs][interventions][errors]") {
    small_model const model;
    auto const wrong = [&](int status, words const& more, std::string const& part) {
        fail(status, "stable_regions", model.with("no", more), part);
    };
    wrong(2, {"--context", "C"}, "context");
    wrong(2, {"--mode", "prefix"}, "mode");
    wrong(2, {"--mode", "suffix", "--position", "3"}, "leave out --position");
    wrong(2, {"--position", "7"}, "too few");
    wrong(2, {"--position=-8"}, "too few");
    for (auto const* text : {"first", "3:2", "3:3", "-1:-2", "2:0", "1:2:3", "1.5", ""}) {
        wrong(2, {"--position", text}, "--position");
    }
    wrong(2, {"--freeze", "blocks.1.hook_mlp_out"}, "@A or");
    wrong(2, {"--freeze", "blocks.1.hook_mlp_out@B"}, "is not SITES@A");
    wrong(2, {"--freeze", "@A"}, "is not SITES@A");
    wrong(1, {"--freeze", "blocks.1.hook_mlp_oat@A"}, "nearest");
    wrong(1, {"--freeze", "blocks.0.hook_mlp_out@A"}, "no later than the write site");
    wrong(1, {"--freeze", "blocks.1.hook_resid_pre@mean"}, "degenerate");
    scratch_dir const texts;
    auto const text_model = write_text_model(texts / "model");
    fail(2, "stable_regions",
         {"--model", text_model, "--prompts", texts.write("prompts.txt", "one\ntwo 2\n").string(), "--mode", "suffix",
          "--out", (texts / "out").string()},
         "one length");
    CHECK_FALSE(std::filesystem::exists(model.dir / "no"));
}

}  // namespace
