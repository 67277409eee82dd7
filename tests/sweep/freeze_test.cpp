#include <plateau/sweep/freeze.hpp>

#include <plateau/hooks/ablate.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/first_difference.hpp"
#include "support/sweeps.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::testing::contains;
namespace sweep = plateau::sweep;
using sweep::frozen_at;

std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {0, 3, 3}, {2, 3}};
std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};

prompt_list some_prompts() { return tiny::random_prompts(3, {6, 9, 6, 7}, 37); }

template <class T>
hooks::hook_set<T> frozen(threaded_model<T> const& model, prompt_list const& prompts, sweep_options const& o,
                          std::vector<sweep::frozen_sites> const& what, int threads = 1) {
    return sweep::freeze(model(threads), prompts, pairs, sweep::sweep_points<T>{o.points, line<T>(o.points), o.setup},
                         what);
}

TEMPLATE_TEST_CASE("rows frozen at A have the bits of a full forward pass with A's values", "[sweep][freeze]", float,
                   double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    auto const values = std::make_shared<hooks::recording<T>>();
    model(1).run(prompts, hooks::record<T>("*", values));
    readings<T> clean;
    model(1).run(prompts, hooks::capture<T>("unembed.hook_out", keep(clean)));
    for (std::string const pattern :
         {"blocks.*.hook_attn_out", "blocks.*.attn.hook_pattern", "blocks.*.hook_mlp_out", "blocks.*.mlp.hook_pre",
          "blocks.*.mlp.hook_post", "*.hook_scale", "blocks.2.attn.hook_z", "blocks.1.attn.hook_k"}) {
        for (auto const at : {hooks::positions::last(), hooks::positions{-3, -1}}) {
            CAPTURE(pattern, at.first);
            sweep_options o;
            o.points = 3;
            o.setup.positions.at = at;
            auto const set = frozen<T>(model, prompts, o, {{pattern, frozen_at::context}});
            auto const rows = by_engine<T>(model, prompts, pairs, o, reads, 2, set);
            CHECK(plateau::testing::first_difference(rows, published_way<T>(model, prompts, pairs, o, reads, set)) ==
                  "");
            if (pattern == "blocks.1.attn.hook_k" || pattern == "*.hook_scale") continue;
            // held at A's values, which a clean run records: hooks on all positions do the same
            CHECK((rows == by_engine<T>(model, prompts, pairs, o, reads, 1, [&] {
                       hooks::hook_set<T> by_prompt;
                       for (auto const& one : set.hooks())
                           by_prompt = by_prompt | hooks::freeze<T>(one.pattern, values);
                       return by_prompt;
                   }())));
            for (auto const& [key, logits] : rows) {  // where x is the context's own activation nothing moves
                auto const& pair = pairs[static_cast<std::size_t>(std::get<1>(key))];
                index const own = pair.context == pair.from ? 0 : o.points - 1;
                if (std::get<0>(key) != "unembed.hook_out" || std::get<2>(key) != own) continue;
                CHECK(logits == clean.at({"unembed.hook_out", pair.context, 0, std::get<3>(key)}));
            }
        }
    }
}

TEST_CASE("rows frozen at the path's mean: the mean of the rows without it", "[sweep][freeze]") {
    auto const model = random_model<double>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 5;
    std::string const site = "blocks.2.hook_mlp_out";
    auto const set = frozen<double>(model, prompts, o, {{site, frozen_at::path_mean}});
    auto const free = by_engine<double>(model, prompts, pairs, o, {site});
    auto const held = by_engine<double>(model, prompts, pairs, o, {site}, 1, set);
    for (auto const& [key, values] : held) {
        auto const [name, pair, point, position] = key;
        for (std::size_t i = 0; i < values.size(); ++i) {
            double sum = 0;
            for (index k = 0; k < o.points; ++k) sum += free.at({name, pair, k, position})[i];
            CHECK(plateau::testing::same_bits(values[i], sum / 5));
        }
    }
    auto const rows = by_engine<double>(model, prompts, pairs, o, reads, 2, set);
    CHECK(plateau::testing::first_difference(rows, published_way<double>(model, prompts, pairs, o, reads, set)) == "");
}

TEST_CASE("frozen rows depend on nothing but themselves", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 70;
    std::vector<sweep::frozen_sites> const what{{"blocks.*.hook_mlp_out", frozen_at::path_mean},
                                                {"*ln2.hook_scale", frozen_at::context}};
    auto const reference = by_engine<float>(model, prompts, pairs, o, reads, 1, frozen<float>(model, prompts, o, what));
    for (int threads : {2, 3}) {
        o.travel.block_rows = 60;
        CHECK((by_engine<float>(model, prompts, pairs, o, reads, threads,
                                frozen<float>(model, prompts, o, what, threads)) == reference));
    }
}

TEST_CASE("freezing composes with other interventions", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 3;
    o.setup.positions.at = {-2, 0};
    auto const set = frozen<float>(model, prompts, o,
                                   {{"blocks.*.hook_attn_out", frozen_at::context},
                                    {"blocks.2.mlp.hook_post", frozen_at::path_mean}}) |
                     hooks::zero_ablate<float>("blocks.2.attn.hook_z", hooks::heads{1}) |
                     hooks::zero_ablate<float>("blocks.0.hook_mlp_out");
    CHECK((by_engine<float>(model, prompts, pairs, o, reads, 2, set) ==
           published_way<float>(model, prompts, pairs, o, reads, set)));
}

TEST_CASE("what is not frozen: sites that do not follow the point", "[sweep][freeze]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 2;
    o.setup.write = "blocks.1.hook_resid_mid";
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
    auto const model = golden_model<float>("gpt2")(1);
    auto const prompts = golden::prompts(golden::models_folder() / "gpt2" / "tokens.npy");
    std::vector<engine::prompt_pair> const one{{0, 1}};
    for (auto const value : {frozen_at::context, frozen_at::path_mean}) {
        auto const set = sweep::freeze(model, prompts, one, {4, sweep::straight_lines<float>(4)},
                                       {{"blocks.1.hook_resid_post", value}});
        auto const curves = sweep::interpolate(model, prompts, one, 4, {}, set);
        for (double d : curves[0]) CHECK(d == 0);
        CHECK(sweep::interpolate(model, prompts, one, 4)[0][3] > 0);
    }
}

}  // namespace
