#include <plateau/sweep/function_derivatives.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <plateau/engine/load.hpp>
#include <plateau/io/npz_reader.hpp>
#include <plateau/sweep/exact_slopes.hpp>

#include "support/golden.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::testing::contains;
namespace sweep = plateau::sweep;

template <class T>
struct named_function {
    std::string name, read;
    engine::read_out_function<T> f;
};

template <class T>
std::vector<named_function<T>> functions(plateau::model<T> const& model) {
    auto const logits = model.sites().back().name();
    return {{"logit", logits, engine::logit_of<T>(5)},
            {"log_probability", logits, engine::log_probability_of<T>(5)},
            {"kl_from_reference", logits, engine::divergence_from_reference<T>()},
            {"kl_to_reference", logits, engine::divergence_to_reference<T>()},
            {"distance", "unembed.hook_in", engine::distance_to_reference<T>()}};
}

#if PLATEAU_HAS_ZLIB
TEMPLATE_TEST_CASE("gradients of read-outs are those of the published implementation", "[sweep][tangents]", float,
                   double) {
    double const tolerance = std::is_same_v<TestType, double> ? 1e-10 : 3e-5;  // of the largest magnitude
    for (auto const& name : golden::model_names()) {
        auto const folder = golden::models_folder() / name;
        plateau::io::npz_reader const expected{folder / "derivatives.npz"};
        auto const model = plateau::load<TestType>(folder, {.backend = {.threads = 2}});
        auto prompts = golden::prompts(folder / "tokens.npy");
        prompts.resize(2);
        for (auto const& one : functions(model)) {
            CAPTURE(name, one.name);
            sweep::path_derivatives_options what{.read = one.read, .steps = 2, .vectors = true};
            auto const place = [](index, index point) { return 0.3 * static_cast<double>(point); };
            auto f = one.f;
            if (one.name == "distance") {  // at point 0, which nobody asks for here, it has none
                f.gradient = [inner = one.f.gradient](auto value, auto reference) {
                    if (std::ranges::equal(value, reference)) return std::vector<double>(value.size());
                    return inner(value, reference);
                };
            }
            auto const found = sweep::function_along<TestType>(model, prompts, {{0, 1}}, what, f, {place, {}});
            auto const wanted = expected.read<double>("gradient." + one.name);
            double largest = 0, worst = 0;
            for (double const value : wanted.values) largest = std::max(largest, std::abs(value));
            for (std::size_t i = 0; i < wanted.values.size(); ++i)
                worst =
                    std::max(worst, std::abs(static_cast<double>(found.gradient[0][1].data()[i]) - wanted.values[i]));
            CHECK(worst <= tolerance * largest);
        }
    }
}
#endif

TEST_CASE("slopes of read-outs are differences of their values, and their gradients' products", "[sweep][tangents]") {
    auto const model = plateau::load<double>(golden::models_folder() / "llama_gqa", {.backend = {.threads = 2}});
    auto const prompts = tiny::random_prompts(3, {6, 6, 6}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2, 2}};
    for (auto const& one : functions(model)) {
        for (std::string const path : {"linear", "slerp"}) {
            CAPTURE(one.name, path);
            sweep::path_derivatives_options what{.read = one.read, .path = path, .steps = 2001};
            auto const fine = sweep::function_along<double>(model, prompts, pairs, what, one.f);
            double largest = 0, worst = 0;
            for (index p = 0; p < 2; ++p) {
                for (index i = 200; i < 2000; i += 200) {
                    auto const at = [&](index j) { return fine.value(p, i + j); };
                    double const wanted = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / 12 * 2000;
                    worst = std::max(worst, std::abs(fine.slope(p, i) - wanted));
                    largest = std::max(largest, std::abs(wanted));
                }
            }
            CHECK(worst <= 1e-6 * largest);
        }
    }
    // with parts held, and two positions written
    sweep::path_derivatives_options what{.read = model.sites().back().name(), .steps = 3, .vectors = true};
    what.positions = {hooks::positions{-2, 0}};
    what.held.emplace_back(std::vector<std::string>{"pattern", "norm_scale"}, model.sites());
    auto const found =
        sweep::function_along<double>(model, prompts, pairs, what, engine::divergence_to_reference<double>());
    REQUIRE(found.held_gradient.extents() == std::array<index, 5>{1, 2, 3, 2, model.width()});
    CHECK(found.held_slope(0, 0, 1) != found.slope(0, 1));
    auto const activations = [&](std::size_t number) {
        return model.run_with_cache(prompts[number], {"blocks.0.hook_resid_post"})
            .cache["blocks.0.hook_resid_post"]
            .values();
    };
    auto const a = activations(0), b = activations(1);
    for (index k = 0; k < 2; ++k) {
        auto const gradient = k == 0 ? found.gradient[0][1] : found.held_gradient[0][0][1];
        double along = 0;
        for (index j = 0; j < 2 * model.width(); ++j) {
            auto const at = static_cast<std::size_t>(4 * model.width() + j);
            along += gradient.data()[j] * (b[at] - a[at]);
        }
        CHECK(along == Approx(k == 0 ? found.slope(0, 1) : found.held_slope(0, 0, 1)).epsilon(1e-11));
    }
}

TEST_CASE("exact slopes do not saturate, and refined jumps take them", "[sweep][tangents]") {
    auto const model = plateau::load<double>(golden::models_folder() / "gemma2", {.backend = {.threads = 2}});
    auto const prompts = tiny::random_prompts(3, {6, 6, 6}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {1, 1}};  // the last one goes nowhere
    auto const grid = plateau::paths::even_grid(0, 1, 11);
    auto const along = sweep::straight_lines<double>(11);
    auto const curves = sweep::distances_along<double>(model, prompts, pairs, grid, along);
    hooks::hook_set<double> const nothing;
    sweep::swept_curves<double> const swept{{.steps = 11}, curves, nothing};
    auto const slopes = sweep::exact_slopes<double>(model, prompts, pairs, swept);
    REQUIRE(slopes.extents() == std::array<index, 2>{3, 11});
    CHECK(std::isnan(slopes(2, 5)));
    CHECK(slopes(0, 0) > 0);
    std::vector<plateau::paths::refined_jump> jumps(3);
    jumps[0].place = 0.3, jumps[1].place = 0.7, jumps[2].place = std::nan("");
    sweep::use_exact_slopes<double>(model, prompts, pairs, swept, jumps);
    CHECK(jumps[0].slope == Approx(slopes(0, 3)).epsilon(1e-10));
    CHECK(jumps[1].slope == Approx(slopes(1, 7)).epsilon(1e-10));
}

TEST_CASE("a distance of 0 has no gradient, and a token beyond the vocabulary no logit", "[sweep][tangents]") {
    auto const model = plateau::load<float>(golden::models_folder() / "llama_gqa", {.backend = {.threads = 1}});
    auto const prompts = tiny::random_prompts(2, {5, 5}, 37);
    sweep::path_derivatives_options what{.steps = 3, .vectors = true};
    CHECK_THROWS_WITH(
        sweep::function_along<float>(model, prompts, {{0, 1}}, what, engine::distance_to_reference<float>()),
        contains("a distance has no gradient where it is 0"));
    what.read = "unembed.hook_out";
    CHECK_THROWS_WITH(sweep::function_along<float>(model, prompts, {{0, 1}}, what, engine::logit_of<float>(4000)),
                      contains("token 4000 is not in a vocabulary"));
}

}  // namespace
