#include <plateau/sweep/predictions.hpp>

#include <cmath>

#include <plateau/models/load.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
namespace sweep = plateau::sweep;
namespace models = plateau::models;
namespace hooks = plateau::hooks;
using context = plateau::backend::cpu_context;

models::prompt_list const prompts{{3, 1, 4, 1, 5}, {9, 2, 6, 5, 3}, {5, 8, 9, 7}};
std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}};

TEST_CASE("predictions along paths are those of the logits", "[sweep][predictions]") {
    context const ctx{2};
    index const steps = 7, k = 4;
    for (std::string const name : {"llama_gqa", "gpt2"}) {
        CAPTURE(name);
        auto const model = models::load<double>(golden::models_folder() / name, ctx);
        sweep::predictions<double> got{3, steps, k};
        plateau::tensor::buffer<double, 3> logits({3, steps, model.vocabulary()});
        auto const keep = hooks::capture<double>("unembed.hook_out", [&](hooks::site const&, hooks::where const& w,
                                                                         plateau::tensor::view<double const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& row = w.rows[r];
                std::copy_n(rows[static_cast<index>(r)].data(), model.vocabulary(), logits[row.item][row.point].data());
            }
        });
        sweep::interpolate_options o;
        o.steps = steps;
        auto const curves = sweep::interpolate(ctx, model, prompts, pairs, o, sweep::read_predictions(ctx, model, got));
        auto const again = sweep::interpolate(ctx, model, prompts, pairs, o, keep);
        CHECK(plateau::testing::same_bits(curves.distances.data(), again.distances.data(), curves.distances.size()));
        for (index p = 0; p < 3; ++p) {
            std::vector<double> start;
            for (index i = 0; i < steps; ++i) {
                CAPTURE(p, i);
                auto const row = logits[p][i].flat();
                double sum = 0;
                for (double const v : row) sum += std::exp(v);
                if (i == 0) {
                    for (double const v : row) start.push_back(v - std::log(sum));
                }
                double from = 0, to = 0;
                for (std::size_t v = 0; v < row.size(); ++v) {
                    double const log_p = row[v] - std::log(sum);
                    from += std::exp(start[v]) * (start[v] - log_p);
                    to += std::exp(log_p) * (log_p - start[v]);
                }
                CHECK(std::abs(got.log_sum_exp(p, i) - std::log(sum)) < 1e-12);
                CHECK(std::abs(got.kl_from_start(p, i) - from) < 1e-12);
                CHECK(std::abs(got.kl_to_start(p, i) - to) < 1e-12);
                CHECK((i > 0) == (got.kl_from_start(p, i) > 0));
                CHECK(got.best(p, i, 0).logit == *std::max_element(row.begin(), row.end()));
                for (index j = 0; j < k; ++j)
                    REQUIRE(got.best(p, i, j).logit == row[static_cast<std::size_t>(got.best(p, i, j).token)]);
                for (index j = 1; j < k; ++j) REQUIRE(got.best(p, i, j).logit <= got.best(p, i, j - 1).logit);
            }
        }
    }
}

TEST_CASE(
    "predictions have the same bits for any block and any number of threads, also where rows own several positions",
    "[sweep][predictions]") {
    auto const model = models::load<float>(golden::models_folder() / "llama_gqa", context{1});
    index const points = 9;
    auto const run = [&](int threads, index block_rows) {
        context const ctx{threads};
        sweep::predictions<float> result{3, points, 2};
        sweep::patched_rows_options o;
        o.positions.at = hooks::positions::one(-2);
        o.points = points;
        o.block_rows = block_rows;
        sweep::point_writer<float> const write = [&](index, index point, auto a, auto b, auto out) {
            float const t = static_cast<float>(point) / (points - 1);
            for (index i = 0; i < a.extent(1); ++i) out(0, i) = (1 - t) * a(0, i) + t * b(0, i);
        };
        sweep::patched_rows engine{ctx, model, prompts, o};
        engine.run(pairs, write, sweep::read_predictions(ctx, model, result));
        return result;
    };
    auto const wanted = run(1, 252);
    for (index i = 0; i < wanted.kl_from_start.size(); ++i)
        CHECK((i % points > 0) == (wanted.kl_from_start.data()[i] > 0));
    for (auto const& [threads, block_rows] : std::vector<std::pair<int, index>>{{2, 252}, {1, 12}, {2, 20}}) {
        CAPTURE(threads, block_rows);
        auto const got = run(threads, block_rows);
        CHECK(plateau::testing::same_bits(got.kl_from_start.data(), wanted.kl_from_start.data(),
                                          wanted.kl_from_start.size()));
        CHECK(
            plateau::testing::same_bits(got.kl_to_start.data(), wanted.kl_to_start.data(), wanted.kl_to_start.size()));
        CHECK(
            plateau::testing::same_bits(got.log_sum_exp.data(), wanted.log_sum_exp.data(), wanted.log_sum_exp.size()));
        for (index i = 0; i < wanted.best.size(); ++i) REQUIRE(got.best.data()[i].token == wanted.best.data()[i].token);
    }
}

}  // namespace
