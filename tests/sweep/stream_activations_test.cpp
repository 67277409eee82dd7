#include <plateau/sweep/stream_activations.hpp>

#include <plateau/sweep/activations.hpp>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
namespace hooks = plateau::hooks;
namespace sweep = plateau::sweep;
namespace tensor = plateau::tensor;
using plateau::prompt_list;

prompt_list many_prompts() {
    prompt_list prompts;
    plateau::counter_rng rng{1};
    for (int i = 0; i < 900; ++i) {  // more than go into one batch
        auto& prompt = prompts.emplace_back(2 + rng.below(9));
        for (auto& token : prompt) token = static_cast<plateau::token_id>(rng.below(30));
    }
    return prompts;
}

TEST_CASE("a stream hands on the last activations of all prompts, in their order, in several batches",
          "[sweep][stream_activations]") {
    auto const model = sweeps::random_model<float>();
    auto const prompts = many_prompts();
    auto const site = GENERATE(std::string{"blocks.0.hook_resid_post"}, std::string{"blocks.1.attn.hook_z"});
    auto const expected = sweep::last_activations(model(1), prompts, site);
    index rows = 0, batches = 0;
    sweep::stream_activations(model(2), prompts, site, hooks::positions::last(),
                              [&](tensor::view<float const, 2> batch) {
        for (index r = 0; r < batch.extent(0); ++r, ++rows)
            REQUIRE(std::ranges::equal(batch[r].flat(), expected[rows].flat()));
        ++batches;
    });
    CHECK(rows == 900);
    CHECK(batches > 1);
}

TEST_CASE("means and covariances have the same bits for any number of threads; positions are those asked for",
          "[sweep][stream_activations]") {
    auto const model = sweeps::random_model<float>();
    auto const prompts = many_prompts();
    auto const once = sweep::activation_statistics(model(1), prompts, "blocks.0.hook_resid_post", {1, 0});
    auto const again = sweep::activation_statistics(model(3), prompts, "blocks.0.hook_resid_post", {1, 0});
    CHECK(once.mean() == again.mean());
    auto const one = once.covariance(), other = again.covariance();
    CHECK(std::ranges::equal(one.flat(), other.flat()));
    index positions = 0;
    std::vector<double> sum(static_cast<std::size_t>(once.width()));
    model(1).run(prompts, hooks::capture<float>("blocks.0.hook_resid_post", [&](auto const&, auto const& w, auto rows) {
                     for (std::size_t r = 0; r < w.rows.size(); ++r) {
                         if (w.rows[r].position == 0) continue;
                         ++positions;
                         for (std::size_t i = 0; i < sum.size(); ++i)
                             sum[i] += rows(static_cast<index>(r), 0, static_cast<index>(i));
                     }
                 }));
    CHECK(once.count() == positions);
    for (std::size_t i = 0; i < sum.size(); ++i)
        CHECK_THAT(once.mean()[i], plateau::testing::WithinAbs(sum[i] / static_cast<double>(positions), 1e-6));
}

TEST_CASE("streams refuse scores, unknown sites and positions that a prompt has not",
          "[sweep][stream_activations][errors]") {
    auto const model = sweeps::random_model<float>();
    prompt_list const prompts{{1, 2, 3}, {4}};
    auto const read = [&](std::string const& site, hooks::positions at) {
        sweep::activation_statistics(model(1), prompts, site, at);
    };
    CHECK_THROWS_AS(read("blocks.0.attn.hook_scores", hooks::positions::last()), plateau::site_error);
    CHECK_THROWS_AS(read("blocks.9.hook_resid_post", hooks::positions::last()), plateau::site_error);
    CHECK_THROWS_AS(read("blocks.*.hook_resid_post", hooks::positions::last()), plateau::site_error);
    CHECK_THROWS_AS(read("blocks.0.hook_resid_post", (hooks::positions{1, 0})), plateau::usage_error);
}

}  // namespace
