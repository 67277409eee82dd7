#pragma once
/// The example programs as black boxes: how the tests call them, and what they give them.

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/io/npy.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace programs {

using plateau::index;
using plateau::testing::process_result;
using words = std::vector<std::string>;

/// The environment of the programs. @param data  PLATEAU_DATA; not set if empty
inline std::vector<std::pair<std::string, std::string>> environment(std::string const& data = "") {
    auto const leaks = std::string(baked::tests) + "/support/leaks.txt";
    return {{"PLATEAU_DATA", data}, {"LSAN_OPTIONS", "print_suppressions=0:suppressions=" + leaks}};
}

/// Runs an example program. PLATEAU_DATA is what the test says, by default nothing.
inline process_result run(std::string const& program, words const& arguments, std::string const& data = "") {
    words all{std::string(baked::programs) + "/" + program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    auto result = plateau::testing::run_process(all, environment(data));
    CAPTURE(program, result.err);
    REQUIRE_FALSE(result.timed_out);
    REQUIRE(result.status < 128);
    return result;
}

/// A run that must succeed, with nothing on stderr, which is a pipe here.
inline process_result succeed(std::string const& program, words const& arguments, std::string const& data = "") {
    auto result = run(program, arguments, data);
    CAPTURE(program, arguments, result.err);
    REQUIRE(result.status == 0);
#if PLATEAU_HAS_CAIRO
    REQUIRE(result.err.empty());
#endif
    return result;
}

/// A run that must fail with this status and one message, "program: what, where, way out", that contains `part`.
inline void fail(int status, std::string const& program, words const& arguments, std::string const& part,
                 std::string const& data = "") {
    auto const result = run(program, arguments, data);
    CAPTURE(program, arguments, result.status, result.out);
    CHECK(result.status == status);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, plateau::testing::contains(part));
    CHECK(result.err.rfind(program + ": ", 0) == 0);
    CHECK(result.err.back() == '\n');
    CHECK(result.err.find("\n" + program) == std::string::npos);  // one message, though it may hold a command to copy
    CHECK(result.err.size() > program.size() + 20);
}

inline std::string golden_model(std::string const& model) {
    return std::string(baked::tests) + "/golden/models/" + model;
}

/// The names in a folder; empty if there is none.
inline std::set<std::string> names_in(std::filesystem::path const& folder) {
    std::set<std::string> names;
    if (!std::filesystem::exists(folder)) return names;
    for (auto const& entry : std::filesystem::directory_iterator(folder))
        names.insert(entry.path().filename().string());
    return names;
}

inline nlohmann::json json_of(std::filesystem::path const& file) {
    return nlohmann::json::parse(plateau::testing::bytes_of(file));
}

/// The same bytes in two output folders, run times and options aside.
inline void check_same_files(std::filesystem::path const& a, std::filesystem::path const& b) {
    REQUIRE(names_in(a) == names_in(b));
    for (auto const& name : names_in(a)) {
        CAPTURE(a.string(), b.string(), name);
        if (name != "summary.json") {
            CHECK(plateau::testing::bytes_of(a / name) == plateau::testing::bytes_of(b / name));
            continue;
        }
        auto first = json_of(a / name), second = json_of(b / name);
        for (auto* summary : {&first, &second}) {
            for (auto const* key : {"seconds", "load_seconds", "points_per_second", "threads", "options", "peak_memory",
                                    "ranks", "resumed_points"}) {
                CHECK(summary->erase(key) == 1);
            }
            summary->erase("tangents_per_second");
        }
        CHECK(first.dump() == second.dump());
    }
}

/// Writes prompts of one length as int64 [N,T]. Returns the path.
template <class Token>
std::string write_tokens(std::filesystem::path const& file, std::vector<std::vector<Token>> const& prompts) {
    std::vector<Token> all;
    for (auto const& prompt : prompts) all.insert(all.end(), prompt.begin(), prompt.end());
    plateau::io::write_npy(file, all, {static_cast<index>(prompts.size()), static_cast<index>(prompts.front().size())});
    return file.string();
}

/// A random model that knows text: the vocabulary of tests/golden/tokenizer/NAME.json fits into its own.
inline std::string write_text_model(std::filesystem::path const& folder, std::string const& tokenizer = "words") {
    tiny::checkpoint model{7};
    plateau::counter_rng rng{8};
    model.vocab = 400;
    for (auto const* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
        auto& tensor = model.tensors.at(name);
        tensor.shape = {model.vocab, model.d_model};
        tensor.values.resize(static_cast<std::size_t>(model.vocab * model.d_model));
        for (float& value : tensor.values) value = static_cast<float>(rng.uniform() - 0.5);
    }
    std::filesystem::create_directories(folder);
    model.write(folder);
    auto const source = std::filesystem::path(baked::tests) / "golden" / "tokenizer" / (tokenizer + ".json");
    std::filesystem::copy_file(source, folder / "tokenizer.json");
    return folder.string();
}

}  // namespace programs
