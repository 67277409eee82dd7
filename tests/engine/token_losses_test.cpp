#include <plateau/engine/read/token_losses.hpp>

#include <atomic>
#include <limits>

#include <plateau/engine/forward.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::prompt_list;
using plateau::testing::contains;
using plateau::testing::random_model;

/// The same from whole rows of logits, in double.
template <class T>
std::vector<std::vector<double>> plain_losses(plateau::model<T> const& model, prompt_list const& prompts,
                                              hooks::hook_set<T> const& set) {
    std::vector<std::vector<double>> losses(prompts.size());
    engine::forward(
        model.engine(), prompts,
        set | hooks::capture<T>("unembed.hook_out", [&](auto const&, hooks::where const& w, auto rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                if (w.rows[r].last) continue;
                auto const logits = rows[static_cast<index>(r)].flat();
                auto const item = static_cast<std::size_t>(w.rows[r].item);
                auto const target = static_cast<double>(
                    logits[static_cast<std::size_t>(prompts[item][static_cast<std::size_t>(w.rows[r].position) + 1])]);
                double sum = 0;
                for (T const l : logits) sum += std::exp(static_cast<double>(l) - target);
                losses[item].push_back(std::log(sum));
            }
        }));
    return losses;
}

TEMPLATE_TEST_CASE("losses are those of the logits, with hooks at work too", "[engine][losses]", float, double) {
    auto const model = random_model<TestType>(3);
    auto const prompts = tiny::random_prompts(9, {20, 1, 64, 2, 33}, 37);
    auto const twice =
        hooks::patch<TestType>("blocks.1.hook_resid_mid", [](auto const&, hooks::where const& w, auto rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                if (w.rows[r].position % 2 == 0) continue;
                for (TestType& value : rows[static_cast<index>(r)].flat()) value *= 2;
            }
        });
    for (auto const& set : {hooks::hook_set<TestType>{}, twice}) {
        auto const got = engine::token_losses(model(2).engine(), prompts, set);
        auto const expected = plain_losses<TestType>(model(1), prompts, set);
        REQUIRE(got.size() == prompts.size());
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            REQUIRE(got[i].size() == prompts[i].size() - 1);
            for (std::size_t t = 0; t < got[i].size(); ++t) {
                CHECK(std::abs(got[i][t] - expected[i][t]) <= (std::is_same_v<TestType, float> ? 5e-6 : 1e-12));
            }
        }
    }
    CHECK(engine::token_losses(model(1).engine(), prompts, twice) != engine::token_losses(model(1).engine(), prompts));
}

TEST_CASE("a prompt's losses have the same bits alone, in company, and on any number of threads", "[engine][losses]") {
    auto const model = random_model<float>(3);
    std::vector<index> lengths;
    for (index i = 0; i < 60; ++i) lengths.push_back(1 + i * 7 % 60);
    auto const prompts = tiny::random_prompts(4, lengths, 37);
    std::atomic<index> told{0};
    auto const together = engine::token_losses(model(3).engine(), prompts, {}, [&](index count) { told += count; });
    index total = 0;
    for (auto const& prompt : prompts) total += static_cast<index>(prompt.size());
    CHECK(told == total);
    CHECK(together == engine::token_losses(model(1).engine(), prompts));
    for (std::size_t i = 0; i < prompts.size(); i += 11)
        CHECK(engine::token_losses(model(1).engine(), {prompts[i]})[0] == together[i]);
}

TEST_CASE("what cannot be computed is refused with a reason", "[engine][losses][errors]") {
    auto const model = random_model<float>(3);
    auto const nothing = [](auto const&, auto const&, auto) {};
    auto const run = [&](prompt_list const& prompts, hooks::hook_set<float> const& set = {}) {
        return engine::token_losses(model(1).engine(), prompts, set);
    };
    CHECK_THROWS_WITH(run({{1, 2}, {}}), contains("prompt 1 is empty"));
    CHECK_THROWS_WITH(run({std::vector<plateau::token_id>(65, 1)}), contains("context ends at 64"));
    CHECK_THROWS_WITH(run({{1, 2}}, hooks::patch<float>("unembed.*", nothing)), contains("change unembed.hook_in"));
    CHECK_NOTHROW(run({{1, 2}}, hooks::capture<float>("unembed.*", nothing)));
    CHECK_NOTHROW(run({{1, 2}}, hooks::patch<float>("unembed.hook_in", nothing)));
    auto const spoil = hooks::patch<float>("unembed.hook_in", [](auto const&, hooks::where const&, auto rows) {
        rows(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
    });
    CHECK_THROWS_WITH(run({{1, 2, 3}}, spoil), contains("loss of prompt 0, position 1 is not finite"));
}

}  // namespace
