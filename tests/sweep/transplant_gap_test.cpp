#include <plateau/sweep/transplant_gap.hpp>

#include <plateau/sweep/interpolate.hpp>

#include "support/first_difference.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;
namespace sweep = plateau::sweep;

/// Prompts of one length that share 4, 2 and 0 tokens with the first.
prompt_list some_prompts() {
    auto prompts = tiny::random_prompts(3, {6, 6, 6, 6, 8}, 37);
    std::copy_n(prompts[0].begin(), 4, prompts[1].begin());
    std::copy_n(prompts[0].begin(), 2, prompts[2].begin());
    return prompts;
}

template <class T>
std::vector<double> gaps(threaded_model<T> const& model, prompt_list const& prompts,
                         std::vector<engine::prompt_pair> const& pairs, index steps, engine::setup const& setup = {}) {
    sweep::transplant_gap<T> gap{model(2), prompts, pairs, setup.read};
    sweep::interpolate(model(2), prompts, pairs, steps, setup, gap.reads());
    return gap.distances();
}

TEST_CASE("the gap is the distance of the transplanted end to its own run", "[sweep][transplant_gap]") {
    auto const model = random_model<double>();
    auto const prompts = some_prompts();
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {2, 0}, {1, 0, 0}, {3, 4}, {4, 4}};
    sweep_options whole;
    whole.points = 3;
    std::string const& read = whole.setup.read;
    auto const got = gaps(model, prompts, pairs, 3);
    REQUIRE(got.size() == pairs.size());
    readings<double> natural;
    model(1).run(prompts, hooks::capture<double>(read, keep(natural)));
    auto const rows = published_way<double>(model, prompts, pairs, whole, {read});
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        CAPTURE(p);
        auto const last = [&](index i) { return static_cast<index>(prompts[static_cast<std::size_t>(i)].size()) - 1; };
        auto const& own = natural.at({read, pairs[p].other(), 0, last(pairs[p].other())});
        index const where = pairs[p].context == pairs[p].from ? 2 : 0;  // the path's other end
        auto const& end = rows.at({read, static_cast<index>(p), where, last(pairs[p].context)});
        CHECK(got[p] == plateau::metrics::l2_distance<double>(own, end));
    }
    CHECK(got[0] > 1e-3);
    CHECK(got[2] == got[0]);  // the same transplantation, from the other side
    CHECK(got[4] == 0);
}

TEMPLATE_TEST_CASE("in suffix mode both ends are natural runs, bit for bit", "[sweep][transplant_gap]", float, double) {
    using T = TestType;
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {0, 2}, {0, 2, 2}, {1, 3}, {3, 3}};
    for (std::string const name : {"", "gpt2", "gpt_neox", "gemma2", "mistral"}) {
        auto const model = name.empty() ? random_model<T>() : golden_model<T>(name);
        auto prompts = some_prompts();
        for (auto& prompt : prompts) {
            for (auto& token : prompt) token = token % static_cast<plateau::token_id>(model.vocabulary());
        }
        readings<T> natural;
        model(1).run(prompts, hooks::capture<T>("unembed.hook_out", keep(natural)));
        for (std::string const site :
             {"hook_embed", "blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_pre"}) {
            CAPTURE(name, site);
            sweep_options whole;
            whole.points = 4;
            whole.setup.write = site;
            whole.setup.read = "unembed.hook_out";
            whole.setup.positions.suffix = true;
            for (double const gap : gaps(model, prompts, pairs, 4, whole.setup)) CHECK(gap == 0);
            auto const rows = by_engine<T>(model, prompts, pairs, whole, {"unembed.hook_out"}, 2);
            CHECK(plateau::testing::first_difference(
                      rows, published_way<T>(model, prompts, pairs, whole, {"unembed.hook_out"})) == "");
            for (auto const& [key, logits] : rows) {
                auto const [read, pair, point, position] = key;
                if (point != 0 && point != 3) continue;
                auto const& one = pairs[static_cast<std::size_t>(pair)];
                CHECK(logits == natural.at({read, point == 0 ? one.from : one.to, 0, position}));
            }
        }
    }
}

TEST_CASE("patterns of prompts of different lengths have no gap", "[sweep][transplant_gap]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    auto const got = gaps(model, prompts, {{0, 1}, {0, 4}}, 3, {.read = "blocks.2.attn.hook_pattern"});
    CHECK(std::isfinite(got[0]));
    CHECK(std::isnan(got[1]));
}

}  // namespace
