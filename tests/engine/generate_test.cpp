#include <plateau/engine/generate.hpp>

#include <atomic>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include <plateau/engine/forward.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::prompt_list;
using plateau::testing::contains;
using plateau::testing::golden_model;
using plateau::testing::random_model;
using plateau::testing::threaded_model;

/// What hooks see of every row: by site, item and position; of scores and patterns the keys up to the row's own.
template <class T>
using rows_seen = std::map<std::tuple<std::string, index, index>, std::vector<T>>;

template <class T>
hooks::hook_set<T> watch(rows_seen<T>& seen, std::string const& pattern = "*") {
    return hooks::capture<T>(pattern, hooks::serialised<T>([&seen](hooks::site const& at, hooks::where const& w,
                                                                   plateau::tensor::view<T const, 3> rows) {
                                 for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                     std::vector<T> values;
                                     auto const row = rows[static_cast<index>(r)];
                                     index const width =
                                         at.axes == hooks::site_axes::keys ? w.rows[r].position + 1 : row.extent(1);
                                     for (index a = 0; a < row.extent(0); ++a)
                                         values.insert(values.end(), row[a].data(), row[a].data() + width);
                                     auto& kept = seen[{at.name(), w.rows[r].item, w.rows[r].position}];
                                     if (!kept.empty())
                                         values.clear();  // a row that comes by twice: the comparison will fail
                                     kept = std::move(values);
                                 }
                             }));
}

/// Changes every other position, some more than others.
template <class T>
hooks::hook_set<T> touch(std::string const& pattern) {
    return hooks::patch<T>(pattern, [](auto const&, hooks::where const& w, auto rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const position = w.rows[r].position;
            if (position % 2 == 0) continue;
            auto const row = rows[static_cast<index>(r)];
            for (index a = 0; a < row.extent(0); ++a) {
                for (T& value : row[a].flat())
                    value += static_cast<T>(0.25) * static_cast<T>(position % 5 + w.rows[r].item);
            }
        }
    });
}

/// The texts that come about, without the last token, which was not run.
prompt_list texts_of(prompt_list prompts, std::vector<engine::generated> const& results) {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        prompts[i].insert(prompts[i].end(), results[i].tokens.begin(), results[i].tokens.end() - 1);
    }
    return prompts;
}

/// Generates with hooks that touch and look everywhere, and checks every row, and every token, against `forward`.
template <class T>
void check_against_forward(threaded_model<T> const& model, prompt_list const& prompts, hooks::hook_set<T> const& set,
                           index tokens) {
    rows_seen<T> stepwise, whole;
    auto const results =
        engine::generate(model(2).engine(), prompts, {.max_new_tokens = tokens}, set | watch(stepwise));
    auto const texts = texts_of(prompts, results);
    engine::forward(model(1).engine(), texts, set | watch(whole));
    REQUIRE(stepwise.size() == whole.size());
    bool equal = true;
    for (auto const& [key, values] : whole) {
        auto const& other = stepwise.at(key);
        bool const same = other.size() == values.size() &&
                          plateau::testing::same_bits(other.data(), values.data(), static_cast<index>(values.size()));
        if (same || !equal) continue;
        equal = false;
        CAPTURE(std::get<0>(key), std::get<1>(key), std::get<2>(key));
        CHECK(same);
    }
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        REQUIRE(static_cast<index>(results[i].tokens.size()) == tokens);
        for (std::size_t n = 0; n < results[i].tokens.size(); ++n) {
            auto const& logits =
                whole.at({"unembed.hook_out", static_cast<index>(i), static_cast<index>(prompts[i].size() + n - 1)});
            CHECK(results[i].tokens[n] == std::max_element(logits.begin(), logits.end()) - logits.begin());
        }
    }
    // nobody who looks changes a token, wherever they stop looking
    for (auto const* site : {"blocks.0.hook_resid_post", "ln_final.hook_out"}) {
        rows_seen<T> some;
        auto const again =
            engine::generate(model(1).engine(), prompts, {.max_new_tokens = tokens}, set | watch(some, site));
        for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(again[i].tokens == results[i].tokens);
    }
    auto const again = engine::generate(model(1).engine(), prompts, {.max_new_tokens = tokens}, set);
    for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(again[i].tokens == results[i].tokens);
}

TEMPLATE_TEST_CASE("token by token every row has the bits of the whole text at once", "[engine][generate]", float,
                   double) {
    auto const model = random_model<TestType>(3);
    auto const prompts = tiny::random_prompts(9, {1, 20, 2, 33, 7, 40, 12}, 37);
    check_against_forward<TestType>(model, prompts, {}, 24);
    for (auto const* site :
         {"hook_embed", "blocks.1.hook_resid_pre", "blocks.*.attn.hook_k", "blocks.0.attn.hook_attn_scores",
          "blocks.2.mlp.hook_post", "ln_final.hook_out", "unembed.hook_in", "unembed.hook_out"}) {
        CAPTURE(site);
        check_against_forward<TestType>(model, prompts, touch<TestType>(site), 9);
    }
}

TEMPLATE_TEST_CASE("every family continues with the bits of the whole text", "[engine][generate]", float, double) {
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const model = golden_model<TestType>(name);
        if (!model(1).engine().facts().ropes.empty()) continue;  // these go by the length so far: see growing_texts
        auto const prompts = golden::prompts(golden::models_folder() / name / "tokens.npy");
        auto const longest = static_cast<index>(prompts[0].size());
        check_against_forward<TestType>(model, prompts, touch<TestType>("blocks.0.hook_resid_post"),
                                        std::min<index>(8, model(1).context_length() - longest));
    }
}

TEST_CASE("the same seed gives the same text, in any company and on any number of threads", "[engine][generate]") {
    auto const model = random_model<float>(3);
    std::vector<index> lengths;
    for (index i = 0; i < 40; ++i) lengths.push_back(1 + i * 7 % 33);
    auto const prompts = tiny::random_prompts(9, lengths, 37);
    auto const run = [&](prompt_list const& list, int threads, std::uint64_t seed, engine::sampling how) {
        std::vector<std::vector<token_id>> all;
        for (auto& one :
             engine::generate(model(threads).engine(), list, {.max_new_tokens = 15, .choose = how, .seed = seed}))
            all.push_back(one.tokens);
        return all;
    };
    engine::sampling const warm{.temperature = 1.5, .top_k = 10};
    auto const texts = run(prompts, 1, 5, warm);
    CHECK(texts == run(prompts, 4, 5, warm));
    CHECK(texts != run(prompts, 1, 6, warm));
    CHECK(std::set<std::vector<token_id>>(texts.begin(), texts.end()).size() > 30);
    CHECK(run({prompts[0]}, 1, 5, warm)[0] == texts[0]);
    CHECK(run({prompts[0], prompts[1]}, 1, 5, warm)[1] == texts[1]);
    CHECK(run(prompts, 1, 5, {}) == run(prompts, 3, 6, {}));  // greedy draws nothing
    CHECK(run(prompts, 1, 5, {.temperature = 2, .top_k = 1}) == run(prompts, 1, 0, {}));
    auto const repeated = run({prompts[3], prompts[3]}, 1, 5, warm);  // a prompt's place counts
    CHECK(repeated[0] != repeated[1]);
}

TEST_CASE("a text ends with its first stop token, the others go on", "[engine][generate]") {
    auto const model = random_model<float>(3);
    auto const prompts = tiny::random_prompts(2, {5, 11, 1, 8}, 37);
    std::atomic<index> told{0};
    engine::generate_options options{.max_new_tokens = 20, .choose = {.temperature = 1}, .seed = 1};
    auto const free_run = engine::generate(model(1).engine(), prompts, options);
    options.stop = {free_run[0].tokens[3], 36};
    options.on_tokens = [&](index count) { told += count; };
    auto const stopped = engine::generate(model(2).engine(), prompts, options);
    index total = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        auto const& all = free_run[i].tokens;
        auto const end = std::find_first_of(all.begin(), all.end(), options.stop.begin(), options.stop.end());
        CHECK(stopped[i].stopped == (end != all.end()));
        CHECK(stopped[i].tokens == std::vector<token_id>(all.begin(), end == all.end() ? end : end + 1));
        CHECK_FALSE(free_run[i].stopped);
        total += static_cast<index>(stopped[i].tokens.size());
    }
    CHECK(stopped[0].stopped);
    CHECK(told == total);
}

TEST_CASE("a hook that bans a token is obeyed", "[engine][generate]") {
    auto const model = random_model<float>(3);
    auto const prompts = tiny::random_prompts(2, {5}, 37);
    auto const likeliest = engine::generate(model(1).engine(), prompts, {.max_new_tokens = 1})[0].tokens[0];
    auto const ban = hooks::patch<float>("unembed.hook_out", [&](auto const&, auto const&, auto rows) {
        for (index r = 0; r < rows.extent(0); ++r) rows(r, 0, likeliest) = -std::numeric_limits<float>::infinity();
    });
    auto const banned = engine::generate(model(1).engine(), prompts, {.max_new_tokens = 30}, ban)[0].tokens;
    CHECK(std::count(banned.begin(), banned.end(), likeliest) == 0);
}

TEST_CASE("a text may fill the context, and no more", "[engine][generate][errors]") {
    auto const model = random_model<float>(3);
    auto const run = [&](index length, index tokens, engine::sampling how = {}) {
        return engine::generate(model(1).engine(), {{1, 2}, std::vector<token_id>(static_cast<std::size_t>(length), 3)},
                                {.max_new_tokens = tokens, .choose = how});
    };
    CHECK(run(50, 14)[1].tokens.size() == 14);
    CHECK_THROWS_WITH(
        run(50, 15),
        contains(
            "prompt 1 has 50 tokens and 15 more are asked for, the model's context ends at 64: ask for at most 14"));
    CHECK_THROWS_WITH(run(64, 1), contains("context ends at 64"));
    CHECK_THROWS_WITH(run(65, 1), contains("context ends at 64"));
    CHECK_THROWS_WITH(run(3, std::numeric_limits<index>::max()), contains("context ends at 64"));
    CHECK_THROWS_WITH(run(3, 0), contains("at least 1 new token"));
    CHECK_THROWS_WITH(run(0, 1), contains("prompt 1 is empty"));
    CHECK_THROWS_WITH(run(3, 1, {.temperature = -1}), contains("temperature"));
    CHECK_THROWS_WITH(engine::generate(model(1).engine(), {{1}}, {.max_new_tokens = 1}, touch<float>("blocks.9.*")),
                      contains("no hook point"));
}

TEST_CASE("a model that overflows while it writes names layer, prompt and position", "[engine][generate][errors]") {
    auto const model = random_model<float>(3);
    auto const spoil =
        hooks::patch<float>("blocks.1.hook_resid_post", [](auto const&, hooks::where const& w, auto rows) {
            if (w.rows[0].position == 7) rows(0, 0, 0) = std::numeric_limits<float>::infinity();
        });
    CHECK_THROWS_WITH(engine::generate(model(1).engine(), {{1, 2, 3}}, {.max_new_tokens = 9}, spoil),
                      contains("after layer 1, prompt 0, position 7"));
}

}  // namespace
