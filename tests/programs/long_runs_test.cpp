// Journals: every program that sweeps leaves the same files with one, and when it goes on from a part of it.

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <plateau/core/rng.hpp>

#include "programs/run.hpp"

#if PLATEAU_HAS_SQLITE

#include <sqlite3.h>

namespace {

using namespace programs;
using plateau::counter_rng;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

words operator+(words all, words const& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// A connection to a journal that nobody has open.
class journal_file {
public:
    explicit journal_file(std::filesystem::path const& path) {
        REQUIRE(sqlite3_open_v2(path.c_str(), &file_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    }
    ~journal_file() { sqlite3_close(file_); }
    journal_file(journal_file const&) = delete;
    journal_file& operator=(journal_file const&) = delete;

    void run(std::string const& sql) {
        CAPTURE(sql);
        REQUIRE(sqlite3_exec(file_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    /// The only number that a query gives.
    index number(std::string const& sql) {
        index found = -1;
        auto const take = [](void* to, int, char** values, char**) {
            *static_cast<index*>(to) = std::stoll(values[0]);
            return 0;
        };
        REQUIRE(sqlite3_exec(file_, sql.c_str(), take, &found, nullptr) == SQLITE_OK);
        return found;
    }
    /// Forgets about half of all chunks, but not all of them. @pre two or more
    void forget_some(counter_rng& rng) {
        index const chunks = number("SELECT count(*) FROM chunks");
        REQUIRE(chunks > 1);
        for (index left = chunks; left > (chunks + 1) / 2; --left) {
            auto const at = std::to_string(rng.below(static_cast<std::uint64_t>(left)));
            auto const which =
                " WHERE (sweep, first) IN (SELECT sweep, first FROM chunks ORDER BY sweep, first "
                "LIMIT 1 OFFSET " +
                at + ")";
            run("DELETE FROM parts" + which);
            run("DELETE FROM chunks" + which);
        }
    }

private:
    sqlite3* file_ = nullptr;
};

/// What a program says on stdout, without how fast it was and where its files are.
std::string told(std::string const& text) {
    std::string all;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = text.find('\n', at);
        auto const line = text.substr(at, end - at);
        if (line.find(" per second") == std::string::npos && line.find("written to ") == std::string::npos &&
            line.find("picture: ") == std::string::npos)
            all += line + '\n';
        at = end + 1;
    }
    return all;
}

index resumed_points(std::filesystem::path const& out) {
    return json_of(out / "summary.json").at("resumed_points").get<index>();
}

/// Every program that has --journal, with options that ask for much.
std::vector<std::pair<std::string, words>> sweeps(scratch_dir const& dir, std::string const& tokens) {
    tiny::checkpoint const first{3}, second{4};
    for (auto const& [name, model] : {std::pair{"step-8", &first}, {"step-32", &second}}) {
        std::filesystem::create_directory(dir / name);
        model->write(dir / name);
    }
    auto const one = (dir / "step-8").string(), both = one + "," + (dir / "step-32").string();
    words const given{"--tokens", tokens}, model = words{"--model", one} + given,
                                           checkpoints = words{"--checkpoints", both} + given;
    words const few{"--steps", "7", "--resamples", "20"};
    auto const vectors = write_tokens<float>(dir / "v.npy", {std::vector<float>(24, 0.5f)});
    return {
        {"stable_regions", model + words{"--steps", "7", "--path", "arc-to-b", "--kl", "--top-k", "2", "--refine",
                                         "0.01", "--exact-slope", "--metrics", "share,cosine", "--context", "both",
                                         "--read-site", "ln_final.hook_out,blocks.0.hook_resid_post"}},
        {"emergence", checkpoints + few},
        {"depth", model + few},
        {"similar_dissimilar", few + words{"--count", "6", "--length", "5", "--corpus"}},  // text: see below
        {"region_count", model + few},
        {"predict_jump", model + few},
        {"derivatives", model + words{"--steps", "5", "--frozen", "gate,attn_out+mlp_out", "--vectors", "--cotangent",
                                      vectors, "--direction", vectors}},
        {"polytopes", model + few + words{"--exact", "--complexity", "0.1", "--directions", "3", "--toward", "random"}},
        {"energy", model + few + words{"--mlp", "--causality", "--curves", "--toward", "random", "--shuffled-keys"}},
        {"genealogy", checkpoints + few + words{"--contexts", "1,4"}},
        {"slice_2d", checkpoints + words{"--grid", "6", "--labels", "--boundary"}},
        {"superellipse", model + words{"--anchors", "3", "--grid", "4", "--direction-pairs", "2", "--resamples", "5"}},
        {"blow_up", model + few},
        {"sensitive_directions", model + words{"--lengths", "0.1,1", "--resamples", "20", "--repeats", "2"}},
    };
}

TEST_CASE("every sweep leaves the same files with a journal, and resumed from a part of it", "[programs][long_runs]") {
    scratch_dir const dir;
    auto const tokens = write_tokens(dir / "tokens.npy", tiny::random_prompts(5, std::vector<index>(7, 6), 37));
    std::string text;
    for (int i = 0; i < 40; ++i) text += "The cat sat on the mat and the dog saw it. ";
    counter_rng rng{8};
    for (auto [program, arguments] : sweeps(dir, tokens)) {
        CAPTURE(program);
        if (program == "similar_dissimilar") arguments.push_back(dir.write("text.txt", text).string());
        auto const out = [&](char const* name) { return (dir / (program + "." + name)).string(); };
        auto const journal = out("db");
        auto const plain = succeed(program, arguments + words{"--out", out("plain")});
        auto const fresh = succeed(program, arguments + words{"--out", out("fresh"), "--journal", journal});
        check_same_files(out("plain"), out("fresh"));
        CHECK(resumed_points(out("fresh")) == 0);
        journal_file{journal}.forget_some(rng);
        // threads and the place of the files may differ
        auto const resumed =
            succeed(program, arguments + words{"--out", out("resumed"), "--resume", journal, "--threads", "1"});
        check_same_files(out("plain"), out("resumed"));
        CHECK(resumed_points(out("resumed")) > 0);
        for (auto const* other : {&fresh, &resumed}) CHECK(told(other->out) == told(plain.out));
    }
}

/// A run that takes a while.
words const long_run{"--steps", "150"};

/// Runs stable_regions for some seconds, then sends a signal.
process_result run_for(double seconds, std::string const& signal, words const& arguments) {
    words const all = words{"timeout", "--preserve-status",     "-s",
                            signal,    std::to_string(seconds), std::string(baked::programs) + "/stable_regions"} +
                      long_run + arguments;
    return plateau::testing::run_process(all, environment());
}

TEST_CASE("a run that is killed at any moment, again and again, leaves the files of one that is not",
          "[programs][long_runs]") {
    scratch_dir const dir;
    auto const journal = (dir / "a.db").string();
    succeed("stable_regions", long_run + words{"--out", (dir / "plain").string()});
    counter_rng rng{12};
    int kills = 0;
    for (; kills < 40; ++kills) {
        auto const how = std::filesystem::exists(journal) ? "--resume" : "--journal";
        auto const result = run_for(0.05 + 0.25 * rng.uniform() + 0.02 * kills, "KILL",
                                    {"--out", (dir / "out").string(), how, journal});
        CAPTURE(kills, result.status, result.err);
        if (result.status == 0) break;
        REQUIRE(result.status == 128 + 9);
    }
    if (kills == 0) WARN("it was never killed: this machine is fast");
    // in a folder of its own: what a killed run was writing lies under temporary names in the other
    auto const how = std::filesystem::exists(journal) ? "--resume" : "--journal";
    succeed("stable_regions", long_run + words{"--out", (dir / "end").string(), how, journal});
    check_same_files(dir / "plain", dir / "end");
    CHECK(resumed_points(dir / "end") > 0);
}

TEST_CASE("asked to end, a run ends behind its piece and says how to go on", "[programs][long_runs]") {
    scratch_dir const dir;
    std::string const signal = GENERATE("INT", "TERM");
    double seconds = 0.1;
    for (int trial = 0;; ++trial, seconds *= 1.5) {
        REQUIRE(trial < 12);
        auto const journal = (dir / ("a" + std::to_string(trial) + ".db")).string();
        auto const result = run_for(seconds, signal, {"--out", (dir / "out").string(), "--journal", journal});
        CAPTURE(seconds, result.status, result.err);
        if (result.status >= 128) continue;  // before there was a journal
        REQUIRE(result.status == 1);         // not 0: it had more to do
        CHECK_THAT(result.err, contains("what is finished is safe. Go on with --resume " + journal));
        CHECK(result.out.empty());
        CHECK(journal_file{journal}.number("SELECT count(*) FROM chunks") > 0);
        break;
    }
}

TEST_CASE("a journal is of one run", "[programs][long_runs]") {
    scratch_dir const dir;
    auto const tokens = write_tokens(dir / "tokens.npy", tiny::random_prompts(5, std::vector<index>(7, 6), 37));
    auto const journal = (dir / "a.db").string(), out = (dir / "out").string();
    words const run{"--model", golden_model("llama_gqa"), "--tokens", tokens, "--out", out, "--steps", "5"};
    succeed("stable_regions", run + words{"--journal", journal});
    auto const refused = [&](int status, words const& arguments, std::string const& part) {
        fail(status, "stable_regions", arguments, part);
    };
    refused(2, run + words{"--journal", journal}, "Go on from it with --resume");
    refused(2, run + words{"--resume", journal, "--kl"}, "which had no option --kl");
    refused(2, words(run.begin(), run.end() - 2) + words{"--resume", journal}, "its option --steps is '5'");
    refused(2, run + words{"--resume", journal, "--read-site", "blocks.0.hook_resid_post"},
            "had no option --read-site");
    refused(2, run + words{"--resume", (dir / "b.db").string()}, "there is no such file");
    refused(2, run + words{"--resume", journal, "--journal", (dir / "b.db").string()}, "--journal");
    refused(1, run + words{"--resume", tokens}, "is no journal");
    fail(2, "depth", run + words{"--resume", journal}, "its program is");
    write_tokens(tokens, tiny::random_prompts(6, std::vector<index>(7, 6), 37));
    refused(2, run + words{"--resume", journal}, "content of its file");
    CHECK(names_in(out).count("summary.json") == 1);  // of the run that went well
}

}  // namespace

#endif
