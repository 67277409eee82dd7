#include <plateau/sweep/activation_patching.hpp>

#include <array>
#include <atomic>
#include <cmath>

#include <plateau/hooks/patch_from.hpp>

#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;
namespace sweep = plateau::sweep;
using plateau::token_id;
using plateau::testing::contains;

using prompt = std::vector<token_id>;

/// Two random prompts that differ from position `same` on.
std::array<prompt, 2> two_prompts(index length, index same, index vocabulary, std::uint64_t seed = 3) {
    auto const prompts = tiny::random_prompts(seed, {length, length}, vocabulary);
    auto pair = std::array{prompts[0], prompts[1]};
    std::copy_n(pair[0].begin(), same, pair[1].begin());
    if (same < length)
        pair[1][static_cast<std::size_t>(same)] =
            (pair[0][static_cast<std::size_t>(same)] + 1) % static_cast<token_id>(vocabulary);
    return pair;
}

/// One full forward pass per patch, with a hook, as everybody does it.
template <class T>
class one_by_one {
public:
    one_by_one(plateau::model<T> const& model, std::array<prompt, 2> const& prompts, token_id answer, token_id wrong)
        : model_{model}, prompts_{prompts}, answer_{answer}, wrong_{wrong} {
        for (auto const* site :
             {"blocks.*.hook_resid_pre", "blocks.*.hook_attn_out", "blocks.*.hook_mlp_out", "blocks.*.attn.hook_z"}) {
            model.run({prompts[0]}, hooks::record<T>(site, clean_));
        }
        ends_ = {difference(prompts[0], {}), difference(prompts[1], {})};
    }

    double effect(std::string const& site, hooks::selection const& where_to) const {
        auto const same = [](hooks::row_id const& row) { return hooks::recorded_at{0, row.position}; };
        return (difference(prompts_[1], hooks::patch_from<T>(site, clean_, same, where_to)) - ends_[1]) /
               (ends_[0] - ends_[1]);
    }

private:
    double difference(prompt const& of, hooks::hook_set<T> const& set) const {
        double result = 0;
        auto const read = model_.engine().facts().logit_cap > 0 ? "hook_logits" : "unembed.hook_out";
        model_.run({of}, set | hooks::capture<T>(read, [&](auto const&, hooks::where const& w, auto rows) {
                             auto const last = rows[static_cast<index>(w.rows.size()) - 1];
                             result = static_cast<double>(last(0, answer_)) - static_cast<double>(last(0, wrong_));
                         }));
        return result;
    }

    plateau::model<T> const& model_;
    std::array<prompt, 2> prompts_;
    index answer_, wrong_;
    std::shared_ptr<hooks::recording<T>> clean_ = std::make_shared<hooks::recording<T>>();
    std::array<double, 2> ends_;
};

template <class T>
void check_effects(threaded_model<T> const& model, std::array<prompt, 2> const& prompts, int threads) {
    one_by_one<T> const reference{model(1), prompts, 5, 9};
    auto const effects = sweep::patch_activations(model(threads), prompts[0], prompts[1], {5, 9});
    auto const length = static_cast<index>(prompts[0].size());
    REQUIRE(effects.resid_pre.extents() == std::array<index, 2>{model.layers(), length});
    for (index layer = 0; layer < model.layers(); ++layer) {
        auto const at = "blocks." + std::to_string(layer) + ".";
        for (index t = 0; t < length; ++t) {
            CAPTURE(layer, t);
            auto const here = hooks::positions::one(t);
            CHECK(effects.resid_pre(layer, t) == reference.effect(at + "hook_resid_pre", here));
            CHECK(effects.attn_out(layer, t) == reference.effect(at + "hook_attn_out", here));
            CHECK(effects.mlp_out(layer, t) == reference.effect(at + "hook_mlp_out", here));
        }
        for (index head = 0; head < effects.head_z.extent(1); ++head) {
            CAPTURE(layer, head);
            CHECK(effects.head_z(layer, head) == reference.effect(at + "attn.hook_z", hooks::heads{head}));
        }
    }
}

TEMPLATE_TEST_CASE("effects have the bits of one full forward pass per patch", "[sweep][activation_patching]", float,
                   double) {
    auto const model = random_model<TestType>();
    for (index const same : {0, 2, 5}) check_effects<TestType>(model, two_prompts(6, same, 37), 2);
    check_effects<TestType>(model, two_prompts(1, 0, 37), 1);
    check_effects<TestType>(model, two_prompts(53, 1, 37), 2);  // more positions than ride along
}

TEST_CASE("effects of every kind of family", "[sweep][activation_patching]") {
    for (std::string const name : {"gpt2", "gpt_neox", "gemma2", "olmo2", "opt", "phi", "qwen3"}) {
        CAPTURE(name);
        auto const model = golden_model<float>(name);
        auto const tokens = golden::prompts(golden::models_folder() / name / "tokens.npy");
        std::array<prompt, 2> prompts{tokens[0], tokens[0]};
        prompts[1][1] = (prompts[1][1] + 1) % static_cast<token_id>(model.vocabulary());
        prompts[1].back() = tokens[1].back();
        check_effects<float>(model, prompts, 2);
    }
}

TEST_CASE("effects of weights in bfloat16", "[sweep][activation_patching]") {
    check_effects<float>(random_model<float>(4, {.bf16 = true}), two_prompts(6, 1, 37), 2);
}

TEST_CASE("effects do not depend on the number of threads", "[sweep][activation_patching]") {
    auto const model = random_model<float>();
    auto const prompts = two_prompts(33, 3, 37);
    auto const effects = [&](int threads) {
        return sweep::patch_activations(model(threads), prompts[0], prompts[1], {1, 2});
    };
    auto const one = effects(1);
    auto const same = [](auto const& a, auto const& b) {
        return std::equal(a.flat().begin(), a.flat().end(), b.flat().begin());
    };
    for (int threads : {2, 3, 7}) {
        auto const more = effects(threads);
        CHECK(same(more.resid_pre, one.resid_pre));
        CHECK(same(more.attn_out, one.attn_out));
        CHECK(same(more.mlp_out, one.mlp_out));
        CHECK(same(more.head_z, one.head_z));
    }
}

TEST_CASE("where one token differs, its embedding is all of the difference", "[sweep][activation_patching]") {
    auto const model = random_model<double>();
    auto prompts = two_prompts(8, 8, 37);
    prompts[1][4] = (prompts[0][4] + 1) % 37;
    std::atomic<index> done = 0;
    auto const effects =
        sweep::patch_activations(model(2), prompts[0], prompts[1], {1, 2, [&](index more) { done += more; }});
    CHECK(done == 3 * (3 * 8 + 4));
    CHECK(effects.resid_pre(0, 4) == 1);
    for (index layer = 0; layer < 3; ++layer) {
        for (index t = 0; t < 4; ++t) {
            CHECK(effects.resid_pre(layer, t) == 0);
            CHECK(effects.attn_out(layer, t) == 0);
            CHECK(effects.mlp_out(layer, t) == 0);
        }
    }
    // the other way round the effects are not the same, the ends are
    auto const back = sweep::patch_activations(model(1), prompts[1], prompts[0], {1, 2});
    CHECK(back.clean == effects.corrupted);
    CHECK(back.corrupted == effects.clean);
    CHECK(back.resid_pre(0, 4) == 1);
}

TEST_CASE("what has no effect to measure is an error", "[sweep][activation_patching][errors]") {
    auto const model = random_model<float>();
    auto const patch = [&](prompt const& clean, prompt const& corrupted, token_id answer, token_id wrong) {
        sweep::patch_activations(model(1), clean, corrupted, {answer, wrong});
    };
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 2}, 4, 5), contains("3 tokens") && contains("one length"));
    CHECK_THROWS_AS(patch({1, 2, 3}, {1, 2}, 4, 5), plateau::usage_error);
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 4, 3}, 4, 4), contains("both token 4"));
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 4, 3}, 4, 37), contains("token 37"));
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 4, 3}, -1, 3), contains("token -1"));
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 37, 3}, 4, 5), contains("prompt 1"));
    CHECK_THROWS_WITH(patch({1, 2, 3}, {1, 2, 3}, 4, 5), contains("same logit difference"));
    CHECK_THROWS_AS(patch({1, 2, 3}, {1, 2, 3}, 4, 5), plateau::numeric_error);
    CHECK_THROWS_WITH(patch({}, {}, 4, 5), contains("empty"));
}

}  // namespace
