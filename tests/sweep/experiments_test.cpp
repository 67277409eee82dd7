#include <plateau/sweep/answer_curves.hpp>
#include <plateau/sweep/boundary_map.hpp>
#include <plateau/sweep/depth.hpp>
#include <plateau/sweep/jump_predictors.hpp>
#include <plateau/sweep/label_slice.hpp>
#include <plateau/sweep/output_distances.hpp>
#include <plateau/sweep/stable_regions.hpp>
#include <plateau/sweep/superellipse.hpp>
#include <plateau/sweep/text_losses.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
namespace paths = plateau::paths;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;
using numbers = std::vector<double>;

plateau::prompt_list const prompts{{5, 9, 2, 30, 7}, {5, 9, 2, 11}, {1, 9, 2, 30, 7, 3}};
std::vector<sweep::prompt_pair> const pairs{{0, 1}, {2, 1, 1}, {2, 0}};

numbers values(tensor::buffer<double, 2> const& d) { return {d.flat().begin(), d.flat().end()}; }

TEST_CASE("the sweep of stable regions is interpolation, whatever else it reads", "[sweep][stable_regions]") {
    auto const model = sweeps::random_model<float>()(2);
    auto const plain = sweep::interpolate(model, prompts, pairs, 7, {.read = "blocks.1.hook_resid_post"});
    sweep::stable_regions_options o{.read = {"blocks.1.hook_resid_post", "ln_final.hook_out"}, .steps = 7};
    auto const found = sweep::stable_regions(model, prompts, pairs, o);
    CHECK(values(found.distances[0]) == values(plain.distances));
    CHECK(found.gaps.empty());
    CHECK(found.refined.empty());
    o.metrics = {"share", "arc"};
    o.predictions = o.gap = o.refine = true;
    o.top = 2;
    o.refinement.tolerance = 0.01;
    auto const all = sweep::stable_regions(model, prompts, pairs, o);
    CHECK(values(all.distances[0]) == values(plain.distances));
    CHECK(values(all.distances[1]) == values(found.distances[1]));
    CHECK(values(all.distances[1]) == values(sweep::interpolate(model, prompts, pairs, 7).distances));
    for (index p = 0; p < 3; ++p) {
        CHECK(all.metrics[0](p, 0) == 0);
        CHECK(all.metrics[0](p, 6) == 1);
        CHECK(all.metrics[3](p, 6) == Approx(1));
        CHECK(all.predicted.kl(p, 0) == Approx(0).margin(1e-6));
        CHECK(all.refined[static_cast<std::size_t>(p)].error <= 0.01);
    }
    CHECK(all.predicted.tokens.size() == 3 * 7 * 2);
    CHECK(all.gaps.size() == 3);
}

TEST_CASE("every named path begins at A, and those that end at B do", "[sweep][named_paths]") {
    auto const model = sweeps::random_model<float>()(1);
    auto const clean = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const mean = sweep::mean_activation(clean);
    auto const row = [&](index i) { return clean.view().rows(i, 1); };
    for (auto const& [name, what] : sweep::path_names) {
        CAPTURE(name);
        auto const path = sweep::named_path<float>(name, mean);
        tensor::buffer<float, 2> x({1, clean.extent(1)});
        auto const gap = [&](double t, index end) {
            path(0, t, row(0), row(1), x);
            double largest = 0;
            for (index k = 0; k < x.size(); ++k)
                largest = std::max(largest, std::abs(static_cast<double>(x.data()[k] - clean[end].data()[k])));
            return largest;
        };
        CHECK(gap(0, 0) < 1e-6);
        bool const ends_there = std::string(name).find_first_of("r") == std::string::npos || name[0] == 's' ||
                                std::string(name) == "linear" || std::string(name) == "arc-to-b";
        if (ends_there) CHECK(gap(1, 1) < 1e-5);
    }
    CHECK_THROWS_AS(sweep::named_path<float>("bent", mean), plateau::usage_error);
}

TEST_CASE("depth by the block written to and by the block read are sweeps of their own", "[sweep][depth]") {
    auto const model = sweeps::random_model<float>()(2);
    sweep::line_study const lines{prompts, pairs, 5};
    auto const by_write = sweep::by_write_layer(model, lines, {1, 0}, {});
    REQUIRE(by_write.layers == std::vector<index>{1, 0});
    auto const direct = sweep::interpolate(model, prompts, pairs, 5, {.write = sweep::after_block(1)});
    CHECK(by_write.curves[0].relative == sweep::transitions_of(direct.alpha, direct.distances, 0).relative);
    auto const by_read = sweep::by_read_layer(model, lines, 0, {});
    REQUIRE(by_read.layers.size() == static_cast<std::size_t>(model.layers() - 1));
    auto const read =
        sweep::interpolate(model, prompts, pairs, 5, {.write = sweep::after_block(0), .read = sweep::after_block(1)});
    CHECK(by_read.curves[0].relative == sweep::transitions_of(read.alpha, read.distances, 0).relative);
    CHECK(sweep::by_read_layer(model, lines, model.layers() - 1, {}).layers.empty());
}

TEST_CASE("answer curves go from 0 to 1 between the likeliest tokens of both runs", "[sweep][answer_curves]") {
    auto const model = sweeps::random_model<float>()(2);
    auto const found = sweep::answers_along(model, prompts, {{0, 1}, {2, 0}}, 5, {});
    auto const likeliest = sweep::likeliest_tokens(model, prompts);
    CHECK(found.answers[0] == std::vector<plateau::token_id>{likeliest[0], likeliest[1]});
    for (std::size_t p = 0; p < 2; ++p) {
        bool const same = found.answers[p][0] == found.answers[p][1];
        CHECK((same ? std::isnan(found.logits[p][0]) : found.logits[p][0] == Approx(0).margin(1e-6)));
        CHECK((same ? std::isnan(found.logits[p][4]) : found.logits[p][4] == Approx(1)));
    }
}

TEST_CASE("the output distance of a prompt to itself is 0", "[sweep][output_distances]") {
    auto const model = sweeps::random_model<double>()(1);
    auto const design = sweep::design_of({{0, 0}, {0, 1}}, 3, sweep::pair_design::dependence::prompts);
    auto const found = sweep::output_distances(model, prompts, design);
    CHECK(found[0] == Approx(0).margin(1e-7));
    CHECK(found[1] > 0);
    CHECK(found[1] <= 1);
    plateau::corpus::following_tokens const following{std::vector<plateau::token_id>{7, 1, 7, 1, 11, 2, 11, 2}};
    auto const of_text = sweep::corpus_distances(following, model.vocabulary(), prompts, design, 2);
    CHECK(of_text[0] == 0);
    CHECK(of_text[1] == Approx(1));
    CHECK(std::isnan(sweep::corpus_distances(following, model.vocabulary(), prompts, design, 3)[1]));
}

TEST_CASE("a slice with labels is the slice, and its labels are of its own runs at A, B and C",
          "[sweep][label_slice]") {
    auto const model = sweeps::random_model<float>()(2);
    auto const axis = paths::even_grid(0, 1, 2);  // A and B lie on the grid
    paths::surface_grid const grid{axis, axis};
    auto const plain = sweep::slice(model, prompts, {0, 1, 2}, grid, {});
    auto const slices = sweep::slices_with_labels(model, prompts, {{{0, 1, 2}}}, grid, {}, true);
    auto const& found = slices[0];
    for (index i = 0; i < plain.distances.size(); ++i)
        CHECK(found.slice.distances.data()[i] == plain.distances.data()[i]);
    auto const likeliest = sweep::likeliest_tokens(model, prompts);
    CHECK(found.labels(0, 0, 0) == likeliest[0]);
    CHECK(found.labels(1, 0, 1) == likeliest[1]);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(found.components[k] >= 1);
        CHECK(found.components[k] <= 4);
    }
    CHECK(sweep::slices_with_labels(model, prompts, {{{0, 1, 2}}}, grid, {}, false)[0].labels.size() == 0);
}

TEST_CASE("a boundary map is 0 at A in its own context, at B in the other", "[sweep][boundary_map]") {
    auto const model = sweeps::random_model<float>()(2);
    auto const found = sweep::map_boundary(model, prompts, 0, 1, 3, {});
    CHECK(found.distances(0, 1, 0) == Approx(0).margin(1e-5));  // beta 0, alpha 0
    CHECK(found.distances(1, 1, 2) == Approx(0).margin(1e-5));
    CHECK(found.alpha_jump > 0);
    CHECK(found.alpha_jump < 1);
    CHECK_THAT(found.text(), plateau::testing::contains("boundary: mean at alpha "));
    CHECK(sweep::boundary_map{}.text().empty());
}

TEST_CASE("an isotropic response has a superellipse of exponent 2", "[sweep][superellipse]") {
    auto const angles = paths::even_grid(0, std::acos(-1.0) / 3, 31);
    std::vector<sweep::angle_response> responses(2);
    for (auto& one : responses) {
        one.kind = "planted";
        one.distances = tensor::buffer<double, 3>({3, 31, 31});
        for (index i = 0; i < one.distances.size(); ++i) {
            double const u = angles[static_cast<std::size_t>(i % 31)],
                         v = angles[static_cast<std::size_t>(i / 31 % 31)];
            one.distances.data()[i] = static_cast<double>(1 + i / (31 * 31)) * std::pow(std::sin(std::hypot(u, v)), 2);
        }
    }
    std::vector<index> const anchors{0, 1, 2};
    auto const kinds = sweep::fit_superellipses(responses, angles, anchors, {.resamples = 20});
    REQUIRE(kinds.size() == 1);
    CHECK(kinds[0].pairs.size() == 2);
    CHECK(kinds[0].exponent.value == Approx(2).margin(0.02));
    CHECK(responses[1].exponents[1].low == Approx(2).margin(0.02));
    responses[0].distances(1, 2, 3) = INFINITY;
    CHECK_THROWS_AS(sweep::require_finite(responses[0], "resid"), plateau::numeric_error);
}

TEST_CASE("losses of a text are those of its windows, each token once", "[sweep][text_losses]") {
    auto const model = sweeps::random_model<double>()(2);
    plateau::prompt_list const texts{{5, 9, 2, 30, 7, 3, 11}, {1, 4, 8}};
    auto const whole = sweep::text_losses(model, sweep::cut(texts, 7, 7));
    auto const cut = sweep::cut(texts, 3, 2);
    auto const losses = sweep::text_losses(model, cut);
    REQUIRE(losses.size() == 14);
    CHECK(cut.text_tokens == 10);
    for (std::size_t i = 0; i < 14; ++i) {
        bool const counts = (i > 0 && i < 7) || i == 8 || i == 9;
        CAPTURE(i);
        CHECK(std::isnan(losses[i]) == !counts);
        CHECK(std::isnan(whole[i]) == !counts);
    }
    CHECK(losses[1] == whole[1]);  // nothing lies before either window's first token
    CHECK_THROWS_AS(sweep::cut({{1}}, 3, 3), plateau::usage_error);
}

TEST_CASE("predictors of jumps have one place a pair, and the bisector lies between both ends",
          "[sweep][jump_predictors]") {
    auto const model = sweeps::random_model<float>()(1);
    auto const activations = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const site = plateau::hooks::find_site(model.sites(), "blocks.1.mlp.hook_post");
    tensor::buffer<float, 3> neurons({3, 5, site.heads * site.width});
    auto const curves = sweep::interpolate(model, prompts, pairs, 5, {}, sweep::read_along(site, neurons));
    auto const found = sweep::jump_predictors(pairs, activations, neurons, curves.alpha);
    REQUIRE(found.size() == 5);
    for (auto const& one : found) CHECK(one.places.size() == 3);
    for (double const place : found[1].places) {
        CHECK(place > 0);
        CHECK(place < 1);
    }
    CHECK(found[4].places == numbers(3, 0.5));
    double sum = 0;
    for (float const x : neurons[0][0].flat()) sum += std::abs(static_cast<double>(x));
    CHECK(sum > 0);
}

}  // namespace
