#include <plateau/engine/read/answer_logits.hpp>

#include <cmath>

#include <plateau/sweep/interpolate.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace engine = plateau::engine;
namespace sweep = plateau::sweep;
namespace hooks = plateau::hooks;
using plateau::testing::golden_model;

plateau::prompt_list const prompts{{3, 1, 4, 1, 5}, {9, 2, 6, 5, 3}, {5, 8, 9, 7}};
std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}};
std::vector<std::vector<token_id>> const answers{{7, 0}, {12, 12}, {3, 50}};

TEST_CASE("each pair's own answers have the logits of the whole unembedding", "[engine][answer_logits]") {
    index const steps = 40;                                           // more rows than a block holds: some are repeated
    std::string const name = GENERATE("llama_gqa", "phi", "gemma2");  // tied or not, with biases, with a cap
    CAPTURE(name);
    auto const model = golden_model<double>(name)(2);
    plateau::tensor::buffer<double, 3> logits({3, steps, model.vocabulary()});
    auto const keep = hooks::capture<double>(
        model.engine().facts().logit_cap > 0 ? "hook_logits" : "unembed.hook_out",
        [&](hooks::site const&, hooks::where const& w, plateau::tensor::view<double const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (row.last && !row.reference_copy)
                std::copy_n(rows[static_cast<index>(r)].data(), model.vocabulary(), logits[row.item][row.point].data());
        }
        });
    engine::answer_logits<double> read{model.engine(), answers, steps};
    sweep::interpolate(model, prompts, pairs, steps, {}, read.reads());
    sweep::interpolate(model, prompts, pairs, steps, {}, keep);
    for (index p = 0; p < 3; ++p) {
        for (index k = 0; k < 2; ++k) {
            auto const token = answers[static_cast<std::size_t>(p)][static_cast<std::size_t>(k)];
            for (index i = 0; i < steps; ++i)
                CHECK(std::abs(read.of(p, k)[static_cast<std::size_t>(i)] - logits(p, i, token)) < 1e-12);
        }
    }
}

TEST_CASE("answers that no model has are refused", "[engine][answer_logits]") {
    auto const model = golden_model<float>("llama_gqa")(1);
    using reader = engine::answer_logits<float>;
    CHECK_THROWS_WITH((reader{model.engine(), {{1, 2}, {3}}, 5}), plateau::testing::contains("as many answers"));
    CHECK_THROWS_WITH((reader{model.engine(), {{1, -1}}, 5}), plateau::testing::contains("vocabulary"));
    CHECK_THROWS_WITH((reader{model.engine(), {{1, static_cast<token_id>(model.vocabulary())}}, 5}),
                      plateau::testing::contains("vocabulary"));
}

}  // namespace
