#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/along.hpp>
#include <plateau/sweep/refine_jumps.hpp>

#include <array>
#include <atomic>
#include <cmath>

#include <plateau/engine/read/whole_paths.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/slerp.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
namespace paths = plateau::paths;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

plateau::prompt_list const prompts{{5, 9, 2, 30, 7}, {5, 9, 2, 11}, {1, 9, 2, 30, 7, 3}};

auto const line_of = [](auto a, auto b) { return paths::linear<float>{a, b}; };
auto const slerp_of = [](auto a, auto b) { return paths::slerp<float>{a, b}; };

std::vector<double> values(sweep::distance_curves const& c) {
    return {c.distances.flat().begin(), c.distances.flat().end()};
}

TEST_CASE("interpolation is the path that is a straight line, in both directions", "[sweep][along]") {
    auto const model = sweeps::random_model<float>()(2);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {2, 1, 1}, {2, 0}};
    auto const grid = paths::even_grid(0, 1, 9);
    auto const along =
        sweep::distances_along(model, prompts, pairs, grid, sweep::along_paths<float>(line_of, grid), {});
    auto const lines = sweep::interpolate(model, prompts, pairs, 9);
    CHECK(along.alpha == lines.alpha);
    CHECK(values(along) == values(lines));
    CHECK(along[1][8] > 0);
}

TEST_CASE("a point of any path is a full forward pass with that point written", "[sweep][along]") {
    auto const model = sweeps::random_model<float>()(1);
    std::vector<engine::prompt_pair> const pairs{{0, 2}, {2, 1}, {2, 0, 0}};
    std::vector<double> const grid{0, 0.3, 1.2};
    engine::setup const options{.write = "blocks.1.hook_resid_pre", .read = "unembed.hook_out"};
    auto const got =
        sweep::distances_along(model, prompts, pairs, grid, sweep::along_paths<float>(slerp_of, grid), options);
    auto const clean = sweep::last_activations(model, prompts, options.write);
    for (index p = 0; p < 3; ++p) {
        auto const& pair = pairs[static_cast<std::size_t>(p)];
        std::vector<std::vector<float>> outputs;
        for (double const t : grid) {
            std::vector<float> x(static_cast<std::size_t>(model.width()));
            paths::slerp<float>{clean[pair.from].flat(), clean[pair.to].flat()}(t, x);
            auto const write = hooks::patch<float>(
                options.write, [&](hooks::site const&, hooks::where const& w, tensor::view<float, 3> rows) {
                    for (std::size_t r = 0; r < w.rows.size(); ++r) {
                        if (w.rows[r].last) std::copy(x.begin(), x.end(), rows[static_cast<index>(r)].data());
                    }
                });
            auto const read = hooks::capture<float>(
                options.read, [&](hooks::site const&, hooks::where const& w, tensor::view<float const, 3> rows) {
                    for (std::size_t r = 0; r < w.rows.size(); ++r) {
                        auto const* const first = rows[static_cast<index>(r)].data();
                        if (w.rows[r].last) outputs.emplace_back(first, first + rows.extent(2));
                    }
                });
            model.run({prompts[static_cast<std::size_t>(pair.context)]}, write | read);
        }
        for (std::size_t i = 0; i < grid.size(); ++i) {
            CHECK(got[p][static_cast<index>(i)] == plateau::metrics::l2_distance<float>(outputs[0], outputs[i]));
        }
        CHECK(got[p][2] > got[p][1]);
    }
}

TEST_CASE("clean activations are what a sweep gives its writer", "[sweep][along]") {
    auto const model = sweeps::random_model<float>()(2);
    for (std::string const site : {"blocks.0.hook_resid_post", "blocks.1.attn.hook_q", "hook_embed"}) {
        CAPTURE(site);
        auto const clean = sweep::last_activations(model, prompts, site);
        REQUIRE(clean.extent(0) == 3);
        engine::patched_rows<float> rows{model.engine(), prompts, 1, {.write = site}};
        std::vector<engine::prompt_pair> const pairs{{0, 1}, {2, 0}, {1, 2, 2}};
        std::vector<std::vector<float>> seen(6);
        rows.run(
            pairs,
            [&](index pair, index, auto a, auto b, auto out) {
            seen[static_cast<std::size_t>(2 * pair)].assign(a.flat().begin(), a.flat().end());
            seen[static_cast<std::size_t>(2 * pair + 1)].assign(b.flat().begin(), b.flat().end());
            std::copy(a.flat().begin(), a.flat().end(), out.data());
            },
            hooks::capture<float>("unembed.hook_out", [](auto&&...) {}));
        auto const row = [&](index i) { return std::vector<float>(clean[i].flat().begin(), clean[i].flat().end()); };
        CHECK(seen[0] == row(0));
        CHECK(seen[1] == row(1));
        CHECK(seen[2] == row(2));
        CHECK(seen[3] == row(0));
        CHECK(seen[4] == row(1));
        CHECK(seen[5] == row(2));
    }
}

TEST_CASE("whole paths are read together, each once, with the distances that are read one by one",
          "[sweep][along][read_paths]") {
    auto const model = sweeps::random_model<float>()(2);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {2, 1}, {1, 0}, {2, 0}};
    auto const grid = paths::even_grid(0, 1, 70);  // four pairs are more rows than a block of its own accord holds
    std::vector<std::vector<double>> seen(pairs.size());
    auto const take = [&](index pair, tensor::view<float const, 2> x) {
        auto& curve = seen[static_cast<std::size_t>(pair)];
        if (!curve.empty()) curve.push_back(-1);  // seen twice
        for (index i = 0; i < x.extent(0); ++i)
            curve.push_back(plateau::metrics::l2_distance<float>(x[0].flat(), x[i].flat()));
    };
    engine::setup const setup;
    auto const write = sweep::along_paths<float>(line_of, grid);
    auto const curves =
        sweep::distances_along(model, prompts, pairs, grid, write, setup, engine::read_paths<float>(setup.read, take));
    for (index p = 0; p < 4; ++p)
        CHECK(seen[static_cast<std::size_t>(p)] == std::vector<double>(curves[p].begin(), curves[p].end()));

    // all points of a pair come in one call, although blocks are small
    std::atomic<index> calls = 0, right = 0;
    auto const count = engine::read_paths<float>(setup.read, [&](index pair, tensor::view<float const, 2> x) {
        ++calls;
        if (x.extents() != std::array<index, 2>{70, model.width()}) return;
        for (index i = 0; i < 70; ++i)
            right += plateau::metrics::l2_distance<float>(x[0].flat(), x[i].flat()) == curves.distances(pair, i);
    });
    for (index const block_rows : {1, 12, 64}) {
        calls = right = 0;
        engine::patched_rows<float>{model.engine(), prompts, 70, setup, {.block_rows = block_rows}}.run(pairs, write,
                                                                                                        count);
        CHECK(calls == 4);
        CHECK(right == 4 * 70);
    }
}

TEST_CASE("jumps of many pairs are refined together, to what each alone gives", "[sweep][along][refine_jumps]") {
    auto const model = sweeps::random_model<double>()(2);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 1}, {2, 0}};  // the second is degenerate
    auto const path = sweep::paths_of<double>([](auto a, auto b) { return paths::slerp<double>{a, b}; });
    auto const grid = paths::even_grid(0, 1, 12);
    auto const coarse = sweep::distances_along(model, prompts, pairs, grid, sweep::at_grid<double>(path, grid), {});
    sweep::refine_jumps_options const options{.tolerance = 1e-5, .min_d1 = 1e-9};
    auto const found = sweep::refine_jumps(model, prompts, pairs, {coarse, path, {}}, options);
    REQUIRE(found.size() == 3);
    CHECK(std::isnan(found[1].place));
    CHECK(found[1].evaluations == 0);
    for (index const p : {index{0}, index{2}}) {
        auto const& one = found[static_cast<std::size_t>(p)];
        auto const relative = plateau::metrics::relative_distance(coarse[p]);
        auto const slope = plateau::metrics::max_slope(relative);
        CHECK(std::abs(one.place - slope.alpha) <= 0.5 / 11);
        CHECK(one.slope >= slope.value);
        CHECK(one.error <= 1e-5);
        CHECK(one.resolved);
        CHECK(one.evaluations <= 12 + 3 * 7);
        // the same search, one place of one pair at a time
        std::vector<engine::prompt_pair> const alone{pairs[static_cast<std::size_t>(p)]};
        auto const of_one = sweep::paths_of<double>([](auto a, auto b) { return paths::slerp<double>{a, b}; });
        auto const by_one = paths::refine_jump(
            [&](double t) {
            return sweep::distances_along(model, prompts, alone, {0, t}, sweep::at_grid<double>(of_one, {0, t}),
                                          {})[0][1] /
                   coarse[p].back();
            },
            {.coarse = 12, .tolerance = 1e-5, .per_round = 3});
        CHECK(by_one.place == one.place);
        CHECK(by_one.slope == one.slope);
        CHECK(by_one.evaluations == one.evaluations);
    }
    CHECK_THROWS_AS(sweep::refine_jumps(model, prompts, {{0, 1}}, {coarse, path, {}}, options), plateau::usage_error);
}

TEST_CASE("what cannot be written along a path, or has no activation, says why", "[sweep][along][errors]") {
    auto const model = sweeps::random_model<float>()(2);
    CHECK_THROWS_WITH(sweep::last_activations(model, prompts, "blocks.0.attn.hook_pattern"),
                      contains("as many values as its prompt"));
    CHECK_THROWS_WITH(sweep::last_activations(model, prompts, "blocks.*.hook_resid_post"), contains("blocks."));
    std::vector<engine::prompt_pair> const pairs{{0, 1}};
    CHECK_THROWS_AS(sweep::distances_along(model, prompts, pairs, {}, sweep::along_paths<float>(line_of, {}), {}),
                    plateau::usage_error);
    auto const zero = [](std::span<float const> a, std::span<float const>) {
        static std::vector<float> const nothing(64);
        return paths::slerp<float>{a, std::span<float const>{nothing}.first(a.size())};
    };
    CHECK_THROWS_AS(sweep::distances_along(model, prompts, pairs, {0, 1}, sweep::along_paths<float>(zero, {0, 1}), {}),
                    plateau::domain_error);
}

}  // namespace
