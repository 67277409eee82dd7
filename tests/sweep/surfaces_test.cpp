#include <plateau/sweep/surfaces.hpp>

#include <array>
#include <atomic>
#include <vector>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/sweep/angle_maps.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/slice.hpp>

#include "support/catch.hpp"
#include "support/sweeps.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
namespace paths = plateau::paths;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

plateau::prompt_list const prompts{{5, 9, 2, 30, 7}, {5, 9, 2, 11}, {1, 9, 2, 30, 7, 3}, {8, 8}};
std::array<index, 3> const anchors{2, 0, 1};

/// The read-out of a prompt at its last position, in a full forward pass with `x` written there; without x in a clean
/// one.
std::vector<float> read_out(plateau::model<float> const& model, index prompt, std::vector<float> const& x,
                            engine::setup const& o) {
    std::vector<float> output;
    auto set = hooks::capture<float>(o.read,
                                     [&](hooks::site const&, hooks::where const& w, tensor::view<float const, 3> rows) {
        auto const* const last = rows[static_cast<index>(w.rows.size()) - 1].data();
        output.assign(last, last + rows.extent(1) * rows.extent(2));
    });
    if (!x.empty()) {
        set = hooks::patch<float>(
                  o.write,
                  [&](hooks::site const&, hooks::where const& w, tensor::view<float, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                if (w.rows[r].last) std::copy(x.begin(), x.end(), rows[static_cast<index>(r)].data());
            }
                  }) |
            set;
    }
    model.run({prompts[static_cast<std::size_t>(prompt)]}, set);
    return output;
}

std::vector<double> values(tensor::buffer<double, 3> const& map) { return {map.flat().begin(), map.flat().end()}; }

TEST_CASE("a slice is the distance from each prompt's own run, as full forward passes have it", "[sweep][slice]") {
    auto const model = sweeps::random_model<float>()(2);
    paths::surface_grid const grid{paths::even_grid(-0.25, 1.25, 4), paths::even_grid(-0.5, 1, 3)};
    for (auto const& [write, read] :
         std::vector<std::pair<std::string, std::string>>{{"blocks.0.hook_resid_post", "ln_final.hook_out"},
                                                          {"blocks.1.hook_mlp_out", "unembed.hook_out"},
                                                          {"hook_embed", "blocks.1.hook_resid_post"}}) {
        CAPTURE(write, read);
        engine::setup const o{.write = write, .read = read};
        auto const got = sweep::slice(model, prompts, anchors, grid, o);
        REQUIRE(got.distances.extents() == std::array<index, 3>{3, 3, 4});
        auto const clean = sweep::last_activations(model, prompts, write);
        paths::plane<float> const plane{clean[2].flat(), clean[0].flat(), clean[1].flat()};
        CHECK(got.anchors == plane.anchors());
        for (index k = 0; k < 3; ++k) {
            index const prompt = anchors[static_cast<std::size_t>(k)];
            auto const own = read_out(model, prompt, {}, o);
            for (index i = 0; i < grid.size(); ++i) {
                std::vector<float> x(static_cast<std::size_t>(clean.extent(1)));
                plane(grid[i][0], grid[i][1], x);
                CHECK(got.distances[k].data()[i] ==
                      plateau::metrics::l2_distance<float>(own, read_out(model, prompt, x, o)));
            }
        }
    }
}

TEST_CASE("an anchor is at no distance from itself, and at one from the others", "[sweep][slice]") {
    auto const model = sweeps::random_model<float>()(1);
    paths::surface_grid grid{{0, 1}, {0, 1}};
    auto const corners = sweep::slice(model, prompts, anchors, grid, {});
    grid.u = {corners.anchors[2][0]};
    auto const at_c = sweep::slice(model, prompts, anchors, grid, {});
    CHECK(corners.distances(0, 0, 0) == 0);
    CHECK(corners.distances(1, 0, 1) == 0);
    CHECK(at_c.distances(2, 1, 0) == 0);
    CHECK(corners.distances(0, 0, 1) > 0);
    CHECK(corners.distances(1, 0, 0) > 0);
    CHECK(at_c.distances(0, 1, 0) > 0);
    // the ends of the line from A to B
    auto const line = sweep::interpolate(model, prompts, {{2, 0}}, 2);
    CHECK(corners.distances(0, 0, 1) == line[0][1]);
}

TEST_CASE("surfaces have the same bits for any number of threads and any block, and hooks see every point once",
          "[sweep][slice]") {
    auto const model = sweeps::random_model<float>();
    paths::surface_grid const grid{paths::even_grid(-0.25, 1.25, 9), paths::even_grid(-0.25, 1.25, 7)};
    index const points = 1 + grid.size();
    struct found {
        std::vector<double> distances;
        std::vector<index> best;
        bool operator==(found const&) const = default;
    };
    auto const best_of = [](engine::predictions<float> const& labels) {
        std::vector<index> best;
        for (index i = 0; i < labels.best.size(); ++i) best.push_back(labels.best.data()[i].token);
        return best;
    };
    auto const run = [&](int threads) {
        std::atomic<index> told = 0;
        engine::predictions<float> labels(3, points, 1);
        auto const got =
            sweep::slice(model(threads), prompts, anchors, grid, {.progress = [&](index done) { told += done; }},
                         engine::read_predictions(model(threads).engine(), labels));
        CHECK(told == 3 * points);
        return found{values(got.distances), best_of(labels)};
    };
    auto const wanted = run(1);
    for (int const threads : {2, 3}) {
        CAPTURE(threads);
        CHECK(run(threads) == wanted);
    }

    // the same points in blocks of other sizes, as the engine below deals them
    plateau::prompt_list chosen;
    for (index const prompt : anchors) chosen.push_back(prompts[static_cast<std::size_t>(prompt)]);
    auto const clean = sweep::last_activations(model(1), chosen, engine::setup{}.write);
    paths::plane<float> const plane{clean[0].flat(), clean[1].flat(), clean[2].flat()};
    engine::point_writer<float> const write = [&](index, index point, auto own, auto, auto out) {
        if (point == 0) std::copy_n(own.data(), own.size(), out.data());
        else plane(grid[point - 1][0], grid[point - 1][1], out.flat());
    };
    for (auto const& [threads, block_rows] :
         std::vector<std::pair<int, index>>{{1, 252}, {2, 252}, {3, 12}, {1, 20}, {2, 1}}) {
        CAPTURE(threads, block_rows);
        auto const& on = model(threads).engine();
        engine::predictions<float> labels(3, points, 1);
        tensor::buffer<double, 2> distances({3, points});
        engine::patched_rows<float> rows{on, chosen, points, {}, {.block_rows = block_rows}};
        rows.run({{0, 0}, {1, 1}, {2, 2}}, write,
                 engine::read_distances<float>(engine::setup{}.read, distances) | engine::read_predictions(on, labels));
        found got{{}, best_of(labels)};
        for (index k = 0; k < 3; ++k) {
            auto const of_context = distances[k].flat().subspan(1);
            got.distances.insert(got.distances.end(), of_context.begin(), of_context.end());
        }
        CHECK(got == wanted);
    }
    for (index k = 0; k < 3; ++k) {  // point 0 is the context's own run
        auto const logits = read_out(model(1), anchors[static_cast<std::size_t>(k)], {}, {.read = "unembed.hook_out"});
        auto const top = std::max_element(logits.begin(), logits.end()) - logits.begin();
        CHECK(wanted.best[static_cast<std::size_t>(k * points)] == top);
    }
}

TEST_CASE("turned anchors are those of the exponential map, each in its own run", "[sweep][angle_maps]") {
    auto const model = sweeps::random_model<float>()(2);
    engine::setup const o{.write = "blocks.0.hook_resid_post", .read = "blocks.1.hook_resid_post"};
    auto const clean = sweep::last_activations(model, prompts, o.write);
    std::vector<float> d1, d2;
    for (index i = 0; i < model.width(); ++i)
        d1.push_back(clean(1, i) - clean(3, i)), d2.push_back(static_cast<float>(i % 5) - 2);
    paths::surface_grid const grid{paths::even_grid(0, 1, 3), {0, 0.4}};
    auto const got = sweep::angle_maps(model, prompts, std::span<float const>{d1}, std::span<float const>{d2}, grid, o);
    REQUIRE(got.extents() == std::array<index, 3>{4, 2, 3});
    for (index k = 0; k < 4; ++k) {
        CHECK(got(k, 0, 0) == 0);
        CHECK(got(k, 0, 2) > 0);
        paths::exp_surface<float> const chart{clean[k].flat(), d1, d2};
        auto const own = read_out(model, k, {}, o);
        for (index i = 0; i < grid.size(); ++i) {
            std::vector<float> x(d1.size());
            chart(grid[i][0], grid[i][1], x);
            CHECK(got[k].data()[i] == plateau::metrics::l2_distance<float>(own, read_out(model, k, x, o)));
        }
    }
}

TEST_CASE("what is no surface says why", "[sweep][slice][errors]") {
    auto const model = sweeps::random_model<float>()(1);
    paths::surface_grid const grid{{0, 1}, {0, 1}};
    auto const slice = [&](std::array<index, 3> const& which, paths::surface_grid const& on = {{0, 1}, {0, 1}},
                           engine::setup const& o = {}) { return sweep::slice(model, prompts, which, on, o); };
    CHECK_THROWS_AS(slice({0, 0, 1}), plateau::domain_error);
    CHECK_THROWS_WITH(slice({0, 1, 1}), contains("on one line"));
    CHECK_THROWS_WITH(slice({0, 1, 4}), contains("prompt 4, there are 4"));
    CHECK_THROWS_AS(slice({0, -1, 2}), plateau::usage_error);
    CHECK_THROWS_WITH(slice({0, 1, 2}, {}), contains("no points"));
    CHECK_THROWS_AS(slice({0, 1, 2}, grid, {.write = "blocks.1.hook_resid_post", .read = "blocks.0.hook_resid_post"}),
                    plateau::site_error);
    CHECK_THROWS_AS(slice({0, 1, 2}, grid, {.write = "blocks.0.attn.hook_pattern"}), plateau::site_error);
    CHECK_THROWS_AS(sweep::surface_distances(model, prompts, {}, grid, [](auto&&...) {}, {}), plateau::usage_error);

    auto const clean = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const own = std::span<float const>{clean[2].flat()}, other = std::span<float const>{clean[0].flat()};
    CHECK_THROWS_WITH(sweep::angle_maps(model, prompts, own, other, grid, {}), contains("anchor 0"));
    CHECK_THROWS_WITH(sweep::angle_maps(model, {prompts[1], prompts[2]}, own, other, grid, {}), contains("anchor 1"));
    CHECK_THROWS_AS(sweep::angle_maps(model, prompts, own.first(3), other, grid, {}), plateau::shape_error);
    std::vector<float> const zero(own.size());
    CHECK_THROWS_AS(sweep::angle_maps(model, prompts, std::span<float const>{zero}, own, grid, {}),
                    plateau::domain_error);
}

}  // namespace
