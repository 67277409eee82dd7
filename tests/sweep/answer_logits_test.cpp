#include <plateau/sweep/answer_logits.hpp>

#include <cmath>

#include <plateau/models/load.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace sweep = plateau::sweep;
namespace models = plateau::models;
namespace hooks = plateau::hooks;
using context = plateau::backend::cpu_context;

models::prompt_list const prompts{{3, 1, 4, 1, 5}, {9, 2, 6, 5, 3}, {5, 8, 9, 7}};
std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}};
std::vector<std::vector<token_id>> const answers{{7, 0}, {12, 12}, {3, 50}};

TEST_CASE("each pair's own answers have the logits of the whole unembedding", "[sweep][answer_logits]") {
    context const ctx{2};
    index const steps = 40;                                           // more rows than a block holds: some are repeated
    std::string const name = GENERATE("llama_gqa", "phi", "gemma2");  // tied or not, with biases, with a cap
    CAPTURE(name);
    auto const model = models::load<double>(golden::models_folder() / name, ctx);
    plateau::tensor::buffer<double, 3> logits({3, steps, model.vocabulary()});
    auto const keep = hooks::capture<double>(
        model.logit_cap > 0 ? "hook_logits" : "unembed.hook_out",
        [&](hooks::site const&, hooks::where const& w, plateau::tensor::view<double const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (row.last)
                std::copy_n(rows[static_cast<index>(r)].data(), model.vocabulary(), logits[row.item][row.point].data());
        }
        });
    sweep::interpolate_options o;
    o.steps = steps;
    sweep::answer_logits<context, std::decay_t<decltype(model)>> read{ctx, model, answers, steps};
    sweep::interpolate(ctx, model, prompts, pairs, o, read.reads());
    sweep::interpolate(ctx, model, prompts, pairs, o, keep);
    for (index p = 0; p < 3; ++p) {
        for (index k = 0; k < 2; ++k) {
            auto const token = answers[static_cast<std::size_t>(p)][static_cast<std::size_t>(k)];
            for (index i = 0; i < steps; ++i)
                CHECK(std::abs(read.of(p, k)[static_cast<std::size_t>(i)] - logits(p, i, token)) < 1e-12);
        }
    }
}

TEST_CASE("answers that no model has are refused", "[sweep][answer_logits]") {
    context const ctx{1};
    auto const model = models::load<float>(golden::models_folder() / "llama_gqa", ctx);
    using reader = sweep::answer_logits<context, std::decay_t<decltype(model)>>;
    CHECK_THROWS_WITH((reader{ctx, model, {{1, 2}, {3}}, 5}), plateau::testing::contains("as many answers"));
    CHECK_THROWS_WITH((reader{ctx, model, {{1, -1}}, 5}), plateau::testing::contains("vocabulary"));
    CHECK_THROWS_WITH((reader{ctx, model, {{1, static_cast<token_id>(model.vocabulary())}}, 5}),
                      plateau::testing::contains("vocabulary"));
}

}  // namespace
