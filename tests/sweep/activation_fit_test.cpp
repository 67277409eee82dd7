#include <plateau/sweep/activation_fit.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
using plateau::testing::WithinAbs;
namespace hooks = plateau::hooks;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;

plateau::prompt_list random_prompts(int count) {
    plateau::prompt_list prompts;
    plateau::counter_rng rng{4};
    for (int i = 0; i < count; ++i) {
        auto& prompt = prompts.emplace_back(3 + rng.below(4));
        for (auto& token : prompt) token = static_cast<plateau::token_id>(rng.below(30));
    }
    return prompts;
}

TEST_CASE("a fit of few and of many activations has their mean, rank and the norms of those under study",
          "[sweep][activation_fit]") {
    auto const model = sweeps::random_model<double>();
    std::string const site = "blocks.0.hook_resid_post";
    auto const studied = random_prompts(3);
    int const texts = GENERATE(4, 300);
    sweep::activation_sample const sample{site, random_prompts(texts), hooks::positions::last()};
    auto const fit = sweep::fit_activations(model(1), studied, sample, {.components = 5});
    CHECK(fit.samples == texts);
    CHECK(fit.samples == sample.count());
    CHECK(fit.width == model.width());
    CHECK(fit.rank == std::min<index>(texts, model.width()));
    CHECK(fit.components.extent(0) == std::min<index>(5, texts - 1));
    auto const seen = sweep::activation_statistics(model(1), sample.texts, site, sample.at);
    for (std::size_t i = 0; i < seen.mean().size(); ++i)
        CHECK_THAT(fit.normal.mean()[i], WithinAbs(seen.mean()[i], 1e-12));
    REQUIRE(fit.norms.size() == 3);
    for (index i = 0; i < 3; ++i) {
        double squares = 0;
        for (double const x : fit.real[i].flat()) squares += x * x;
        CHECK_THAT(fit.norms[static_cast<std::size_t>(i)], WithinAbs(std::sqrt(squares), 1e-12));
    }
    CHECK(fit.median_norm() >= std::min({fit.norms[0], fit.norms[1], fit.norms[2]}));
}

TEST_CASE("shrinkage is as given, or what the covariance says", "[sweep][activation_fit]") {
    auto const model = sweeps::random_model<double>();
    sweep::activation_sample const sample{"blocks.0.hook_resid_post", random_prompts(6), {1, 0}};
    CHECK(sweep::fit_activations(model(1), sample.texts, sample).shrinkage == 0);
    CHECK(sweep::fit_activations(model(1), sample.texts, sample, {.shrinkage = 0.25}).shrinkage == 0.25);
    auto const seen = sweep::activation_statistics(model(1), sample.texts, sample.site, sample.at);
    CHECK(sweep::fit_activations(model(1), sample.texts, sample, {.shrinkage = std::nullopt}).shrinkage ==
          plateau::directions::oas_shrinkage(seen.covariance(0), seen.count()));
    CHECK_THROWS_AS(sweep::fit_activations(model(1), sample.texts, sample, {.shrinkage = 2}), plateau::domain_error);
}

}  // namespace
