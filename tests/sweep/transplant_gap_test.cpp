#include <plateau/sweep/transplant_gap.hpp>

#include <plateau/sweep/interpolate.hpp>

#include "support/golden.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;

/// Prompts of one length that share 4, 2 and 0 tokens with the first.
models::prompt_list some_prompts() {
    auto prompts = tiny::random_prompts(3, {6, 6, 6, 6, 8}, 37);
    std::copy_n(prompts[0].begin(), 4, prompts[1].begin());
    std::copy_n(prompts[0].begin(), 2, prompts[2].begin());
    return prompts;
}

template <class Model>
std::vector<double> gaps(Model const& model, models::prompt_list const& prompts,
                         std::vector<sweep::prompt_pair> const& pairs, sweep::interpolate_options const& o) {
    using T = typename Model::value_type;
    context const ctx{2};
    sweep::transplant_gap<context, Model> gap{ctx, model, prompts, pairs, o.read, o.steps};
    sweep::interpolate(ctx, model, prompts, pairs, o, gap.reads() | hooks::hook_set<T>{});
    return gap.distances();
}

TEST_CASE("the gap is the distance of the transplanted end to its own run", "[sweep][transplant_gap]") {
    auto const model = random_model<double>();
    auto const prompts = some_prompts();
    std::vector<sweep::prompt_pair> const pairs{{0, 1}, {2, 0}, {0, 1, true}, {3, 4}, {4, 4}};
    sweep::interpolate_options const o{.steps = 3};
    auto const got = gaps(model, prompts, pairs, o);
    REQUIRE(got.size() == pairs.size());
    readings<double> natural;
    models::forward(context{1}, model, prompts, hooks::capture<double>(o.read, keep(natural)));
    sweep::patched_rows_options whole;
    whole.points = 3;
    auto const rows = published_way<double>(model, prompts, pairs, whole, {o.read});
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        CAPTURE(p);
        auto const last = [&](index i) { return static_cast<index>(prompts[static_cast<std::size_t>(i)].size()) - 1; };
        auto const& own = natural.at({o.read, pairs[p].other, 0, last(pairs[p].other)});
        // the published way goes from context to other, whatever the pair says
        auto const& end = rows.at({o.read, static_cast<index>(p), 2, last(pairs[p].context)});
        CHECK(got[p] == plateau::metrics::l2_distance<double>(own, end));
    }
    CHECK(got[0] > 1e-3);
    CHECK(got[2] == got[0]);  // the same transplantation, from the other side
    CHECK(got[4] == 0);
}

TEMPLATE_TEST_CASE("in suffix mode both ends are natural runs, bit for bit", "[sweep][transplant_gap]", float, double) {
    using T = TestType;
    std::vector<sweep::prompt_pair> const pairs{{0, 1}, {0, 2}, {2, 0, true}, {1, 3}, {3, 3}};
    for (std::string const name : {"", "gpt2", "gpt_neox", "gemma2", "mistral"}) {
        auto const model =
            name.empty() ? random_model<T>() : models::load<T>(golden::models_folder() / name, context{1});
        auto prompts = some_prompts();
        for (auto& prompt : prompts) {
            for (auto& token : prompt) token = token % static_cast<plateau::token_id>(model.vocabulary());
        }
        readings<T> natural;
        models::forward(context{1}, model, prompts, hooks::capture<T>("unembed.hook_out", keep(natural)));
        for (std::string const site :
             {"hook_embed", "blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_pre"}) {
            CAPTURE(name, site);
            sweep::interpolate_options o{.write = site, .read = "unembed.hook_out", .steps = 4};
            o.positions.suffix = true;
            for (double const gap : gaps(model, prompts, pairs, o)) CHECK(gap == 0);
            sweep::patched_rows_options whole;
            whole.write_site = site;
            whole.points = 4;
            whole.positions.suffix = true;
            auto const rows = engine<T>(model, prompts, pairs, whole, {"unembed.hook_out"}, 2);
            CHECK((rows == published_way<T>(model, prompts, pairs, whole, {"unembed.hook_out"})));
            for (auto const& [key, logits] : rows) {
                auto const [read, pair, point, position] = key;
                if (point != 0 && point != 3) continue;
                auto const& one = pairs[static_cast<std::size_t>(pair)];
                CHECK(logits == natural.at({read, point == 0 ? one.context : one.other, 0, position}));
            }
        }
    }
}

TEST_CASE("patterns of prompts of different lengths have no gap", "[sweep][transplant_gap]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    auto const got = gaps(model, prompts, {{0, 1}, {0, 4}}, {.read = "blocks.2.attn.hook_pattern", .steps = 3});
    CHECK(std::isfinite(got[0]));
    CHECK(std::isnan(got[1]));
}

}  // namespace
