#include <plateau/sweep/freeze.hpp>

#include <plateau/hooks/ablate.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/golden.hpp"
#include "support/sweeps.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::testing::contains;
using sweep::frozen_at;

std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0, true}, {2, 3}};
std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};

models::prompt_list some_prompts() { return tiny::random_prompts(3, {6, 9, 6, 7}, 37); }

template <class T, class Model>
hooks::hook_set<T> frozen(Model const& model, models::prompt_list const& prompts, sweep::patched_rows_options const& o,
                          std::vector<sweep::frozen_sites> const& what, int threads = 1) {
    return sweep::freeze(context{threads}, model, prompts, pairs, o, line<T>(o.points), what);
}

TEMPLATE_TEST_CASE("rows frozen at A have the bits of a full forward pass with A's values", "[sweep][freeze]", float,
                   double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    auto const values = std::make_shared<hooks::recording<T>>();
    models::forward(context{1}, model, prompts, hooks::record<T>("*", values));
    readings<T> clean;
    models::forward(context{1}, model, prompts, hooks::capture<T>("unembed.hook_out", keep(clean)));
    for (std::string const pattern :
         {"blocks.*.hook_attn_out", "blocks.*.attn.hook_pattern", "blocks.*.hook_mlp_out", "blocks.*.mlp.hook_pre",
          "blocks.*.mlp.hook_post", "*.hook_scale", "blocks.2.attn.hook_z", "blocks.1.attn.hook_k"}) {
        for (auto const at : {hooks::positions::last(), hooks::positions{-3, -1}}) {
            CAPTURE(pattern, at.first);
            sweep::patched_rows_options o;
            o.points = 3;
            o.positions.at = at;
            auto const set = frozen<T>(model, prompts, o, {{pattern, frozen_at::context}});
            auto const rows = engine<T>(model, prompts, pairs, o, reads, 2, set);
            CHECK((rows == published_way<T>(model, prompts, pairs, o, reads, set)));
            if (pattern == "blocks.1.attn.hook_k" || pattern == "*.hook_scale") continue;
            // held at A's values, which a clean run records: hooks on all positions do the same
            CHECK((rows == engine<T>(model, prompts, pairs, o, reads, 1, [&] {
                       hooks::hook_set<T> by_prompt;
                       for (auto const& one : set.hooks())
                           by_prompt = by_prompt | hooks::freeze<T>(one.pattern, values);
                       return by_prompt;
                   }())));
            for (auto const& [key, logits] : rows) {  // at x = A nothing moves
                if (std::get<0>(key) != "unembed.hook_out" || std::get<2>(key) != 0) continue;
                CHECK(logits == clean.at({"unembed.hook_out", pairs[static_cast<std::size_t>(std::get<1>(key))].context,
                                          0, std::get<3>(key)}));
            }
        }
    }
}

TEST_CASE("rows frozen at the path's mean: the mean of the rows without it", "[sweep][freeze]") {
    auto const model = random_model<double>();
    auto const prompts = some_prompts();
    sweep::patched_rows_options o;
    o.points = 5;
    std::string const site = "blocks.2.hook_mlp_out";
    auto const set = frozen<double>(model, prompts, o, {{site, frozen_at::path_mean}});
    auto const free = engine<double>(model, prompts, pairs, o, {site});
    auto const held = engine<double>(model, prompts, pairs, o, {site}, 1, set);
    for (auto const& [key, values] : held) {
        auto const [name, pair, point, position] = key;
        for (std::size_t i = 0; i < values.size(); ++i) {
            double sum = 0;
            for (index k = 0; k < o.points; ++k) sum += free.at({name, pair, k, position})[i];
            CHECK(plateau::testing::same_bits(values[i], sum / 5));
        }
    }
    auto const rows = engine<double>(model, prompts, pairs, o, reads, 2, set);
    CHECK((rows == published_way<double>(model, prompts, pairs, o, reads, set)));
}

TEST_CASE("frozen rows depend on nothing but themselves", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep::patched_rows_options o;
    o.points = 70;
    std::vector<sweep::frozen_sites> const what{{"blocks.*.hook_mlp_out", frozen_at::path_mean},
                                                {"*ln2.hook_scale", frozen_at::context}};
    auto const reference = engine<float>(model, prompts, pairs, o, reads, 1, frozen<float>(model, prompts, o, what));
    for (int threads : {2, 3}) {
        o.block_rows = 60;
        CHECK((engine<float>(model, prompts, pairs, o, reads, threads,
                             frozen<float>(model, prompts, o, what, threads)) == reference));
    }
}

TEST_CASE("freezing composes with other interventions", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep::patched_rows_options o;
    o.points = 3;
    o.positions.at = {-2, 0};
    auto const set = frozen<float>(model, prompts, o,
                                   {{"blocks.*.hook_attn_out", frozen_at::context},
                                    {"blocks.2.mlp.hook_post", frozen_at::path_mean}}) |
                     hooks::zero_ablate<float>("blocks.2.attn.hook_z", hooks::heads{1}) |
                     hooks::zero_ablate<float>("blocks.0.hook_mlp_out");
    CHECK((engine<float>(model, prompts, pairs, o, reads, 2, set) ==
           published_way<float>(model, prompts, pairs, o, reads, set)));
}

TEST_CASE("what is not frozen: sites that do not follow the point", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep::patched_rows_options o;
    o.points = 2;
    o.write_site = "blocks.1.hook_resid_mid";
    auto const names = [&](std::string const& pattern) {
        std::vector<std::string> all;
        auto const set = frozen<float>(model, prompts, o, {{pattern, frozen_at::context}});
        for (auto const& one : set.hooks()) all.push_back(one.pattern);
        return all;
    };
    using list = std::vector<std::string>;
    CHECK(names("*.hook_attn_out") == list{"blocks.2.hook_attn_out"});
    CHECK(names("*.hook_mlp_out") == list{"blocks.1.hook_mlp_out", "blocks.2.hook_mlp_out"});
    CHECK(names("*.hook_resid_mid") == list{"blocks.2.hook_resid_mid"});
    CHECK(frozen<float>(model, prompts, o, {}).empty());
    CHECK_THROWS_WITH(names("blocks.0.hook_mlp_out"), contains("no later than the write site"));
    CHECK_THROWS_WITH(names("blocks.1.hook_resid_mid"), contains("no later than the write site"));
    CHECK_THROWS_WITH(names("blocks.0.hook_mlp_oat"), contains("nearest"));
}

TEST_CASE("with everything after it frozen a path leads nowhere", "[sweep][freeze]") {
    auto const model = models::load<float>(golden::models_folder() / "gpt2", context{1});
    auto const prompts = golden::prompts(golden::models_folder() / "gpt2" / "tokens.npy");
    std::vector<sweep::prompt_pair> const one{{0, 1}};
    sweep::patched_rows_options o;
    o.points = 4;
    for (auto const value : {frozen_at::context, frozen_at::path_mean}) {
        auto const set = sweep::freeze(context{1}, model, prompts, one, o, sweep::straight_lines<float>(one, 4),
                                       {{"blocks.1.hook_resid_post", value}});
        auto const curves = sweep::interpolate(context{1}, model, prompts, one, {.steps = 4}, set);
        for (double d : curves[0]) CHECK(d == 0);
        CHECK(sweep::interpolate(context{1}, model, prompts, one, {.steps = 4})[0][3] > 0);
    }
}

}  // namespace
