#include <plateau/engine/read/predictions.hpp>

#include <cmath>

#include <plateau/sweep/interpolate.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
namespace sweep = plateau::sweep;
namespace hooks = plateau::hooks;
using plateau::testing::golden_model;

plateau::prompt_list const prompts{{3, 1, 4, 1, 5}, {9, 2, 6, 5, 3}, {5, 8, 9, 7}};
std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}};

TEST_CASE("predictions along paths are those of the logits", "[engine][predictions]") {
    index const steps = 7, k = 4;
    for (std::string const name : {"llama_gqa", "gpt2"}) {
        CAPTURE(name);
        auto const model = golden_model<double>(name)(2);
        engine::predictions<double> got{3, steps, k};
        plateau::tensor::buffer<double, 3> logits({3, steps, model.vocabulary()});
        auto const keep = hooks::capture<double>("unembed.hook_out", [&](hooks::site const&, hooks::where const& w,
                                                                         plateau::tensor::view<double const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& row = w.rows[r];
                if (row.reference_copy) continue;  // others write its place
                std::copy_n(rows[static_cast<index>(r)].data(), model.vocabulary(), logits[row.item][row.point].data());
            }
        });
        auto const read = engine::read_predictions(model.engine(), got);
        auto const curves = sweep::interpolate(model, prompts, pairs, steps, {}, read);
        auto const again = sweep::interpolate(model, prompts, pairs, steps, {}, keep);
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
    "[engine][predictions]") {
    auto const model = golden_model<float>("llama_gqa");
    index const points = 9;
    auto const run = [&](int threads, index block_rows) {
        engine::predictions<float> result{3, points, 2};
        engine::setup setup;
        setup.positions.at = hooks::positions::one(-2);
        engine::point_writer<float> const write = [&](index, index point, auto a, auto b, auto out) {
            float const t = static_cast<float>(point) / (points - 1);
            for (index i = 0; i < a.extent(1); ++i) out(0, i) = (1 - t) * a(0, i) + t * b(0, i);
        };
        auto const& on = model(threads).engine();
        engine::patched_rows<float> rows{on, prompts, points, setup, {.block_rows = block_rows}};
        rows.run(pairs, write, engine::read_predictions(on, result));
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
