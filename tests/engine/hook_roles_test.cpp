#include <plateau/engine/hook_roles.hpp>

#include <plateau/engine/read/whole_paths.hpp>
#include <plateau/hooks/ablate.hpp>
#include <plateau/hooks/patch_from.hpp>
#include <plateau/hooks/steer.hpp>

#include "support/first_difference.hpp"
#include "support/random.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using hooks::heads;
using hooks::positions;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::random_buffer;
using plateau::testing::random_vector;

std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0}, {2, 4}};

/// Prompts of several lengths, two of them the same but for the last token.
prompt_list some_prompts() {
    auto prompts = tiny::random_prompts(3, {6, 9, 6, 7, 6}, 37);
    std::copy_n(prompts[0].begin(), 5, prompts[2].begin());
    return prompts;
}

/// What a prompt's own run holds.
template <class T>
std::shared_ptr<hooks::recording<T>> recorded(threaded_model<T> const& model, prompt_list const& prompts,
                                              std::string const& pattern) {
    auto values = std::make_shared<hooks::recording<T>>();
    model(2).run(prompts, hooks::record<T>(pattern, values));
    return values;
}

/// The engine's rows and the published way's, for several write sites and positions.
template <class T>
void check_same(threaded_model<T> const& model, prompt_list const& prompts, hooks::hook_set<T> const& set,
                std::vector<std::string> const& write_sites = {"hook_embed", "blocks.0.hook_resid_post",
                                                               "blocks.1.hook_resid_pre", "blocks.1.hook_attn_out",
                                                               "blocks.1.mlp.hook_post"}) {
    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "blocks.2.attn.hook_pattern", "unembed.hook_out"};
    for (auto const& site : write_sites) {
        for (auto const at : {positions{-3, -1}, positions::last(), positions::one(1)}) {
            if (std::is_same_v<T, double> && at != positions{-3, -1}) continue;  // slow, and the same code
            for (bool const hooked : {false, true}) {
                sweep_options o;
                o.setup.write = site;
                o.points = 3;
                o.setup.positions.at = at;
                o.setup.endpoints_see_hooks = hooked;
                CAPTURE(site, at.first, at.end, hooked);
                if (hooked && std::any_of(set.hooks().begin(), set.hooks().end(),
                                          [](auto const& one) { return one.depends == hooks::depends_on::point; })) {
                    continue;
                }
                auto const expected = published_way<T>(model, prompts, pairs, o, reads, set);
                CHECK(plateau::testing::first_difference(by_engine<T>(model, prompts, pairs, o, reads, 2, set),
                                                         expected) == "");
                o.travel.block_rows = 7;
                o.travel.prefix_bytes = 1;
                CHECK(plateau::testing::first_difference(by_engine<T>(model, prompts, pairs, o, reads, 1, set),
                                                         expected) == "");
            }
        }
    }
}

TEMPLATE_TEST_CASE("what is the same for all points acts on rows and prefix as in a full forward pass",
                   "[engine][hook_roles]", float, double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    auto const direction = random_vector<T>(24, 5);
    auto const examples = random_buffer<T, 2>({4, 24}, 9);
    for (std::string const site :
         {"blocks.0.hook_resid_pre", "blocks.1.hook_resid_post", "blocks.1.hook_attn_out", "blocks.2.hook_mlp_out"}) {
        CAPTURE(site);
        check_same<T>(model, prompts, hooks::add<T>(site, direction),
                      {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.hook_attn_out"});
        check_same<T>(model, prompts, hooks::project_out<T>(site, direction, positions{-4, 0}),
                      {"blocks.1.hook_resid_post"});
        check_same<T>(model, prompts, hooks::resample_ablate<T>(site, examples, 3, positions::one(2)),
                      {"blocks.0.hook_resid_post"});
    }
    check_same<T>(model, prompts, hooks::zero_ablate<T>("blocks.*.attn.hook_z", heads{0, 3}),
                  {"blocks.0.hook_resid_post"});
    check_same<T>(model, prompts, hooks::scale<T>("blocks.*.attn.hook_k", T(0.5), positions::one(-2) & heads{1}),
                  {"blocks.0.hook_resid_post"});
    check_same<T>(model, prompts, hooks::zero_ablate<T>("blocks.*.mlp.hook_pre"), {"blocks.1.hook_resid_pre"});
    check_same<T>(model, prompts,
                  hooks::scale<T>("*.ln1.hook_scale", T(2)) | hooks::scale<T>("ln_final.hook_scale", T(0.5)),
                  {"hook_embed"});
    check_same<T>(model, prompts, hooks::scale<T>("blocks.1.attn.hook_pattern", T(0.5), heads{2}),
                  {"blocks.1.mlp.hook_post"});
    check_same<T>(model, prompts, hooks::add<T>("hook_embed", direction), {"hook_embed", "blocks.0.hook_resid_post"});
}

TEMPLATE_TEST_CASE("interventions at every site give the numbers of a full forward pass", "[engine][hook_roles]",
                   float) {
    using T = TestType;
    for (std::string const name : {"gpt2", "llama_gqa", "gpt_neox", "gemma2"}) {
        auto const model = golden_model<T>(name);
        auto const prompts = tiny::random_prompts(3, {6, 9, 6, 7, 6}, std::min<index>(model.vocabulary(), 37));
        for (auto const& site : model.sites()) {
            if (site.layer > 1 || site.layer == 0) continue;
            CAPTURE(name, site.name());
            // not by a constant: what is normalised afterwards would not notice
            auto const wiggle = hooks::change<T>(
                site.name(), positions{-3, 0},
                [](std::span<T> x, hooks::site const& at, hooks::row_id const& row, index head) {
                if (at.id == hooks::site_id::attn_scores || x.empty()) x[0] += T(0.5) * static_cast<T>(head + 1);
                else
                    for (std::size_t i = 0; i < x.size(); ++i)
                        x[i] *= T(1) + T(0.1) * static_cast<T>((i + static_cast<std::size_t>(row.position)) % 3);
                },
                hooks::depends_on::position);
            sweep_options o;
            o.points = 2;
            auto const reads = std::vector<std::string>{"ln_final.hook_out", "unembed.hook_out"};
            auto const expected = published_way<T>(model, prompts, pairs, o, reads, wiggle);
            CHECK(plateau::testing::first_difference(by_engine<T>(model, prompts, pairs, o, reads, 1, wiggle),
                                                     expected) == "");
            bool const after_read = site.id > hooks::site_id::ln_final_out;
            if (!after_read) CHECK((expected != published_way<T>(model, prompts, pairs, o, reads)));
        }
    }
}

TEST_CASE("the prompt's own values are the identity, bit for bit, at every site", "[engine][hook_roles]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};
    std::vector<std::string> all;
    for (auto const& site : model.sites()) all.push_back(site.name());
    all.insert(all.end(), {"*", "blocks.*.attn.*"});
    readings<float> clean;
    auto const every = recorded<float>(model, prompts, "*");
    model(1).run(prompts, hooks::capture<float>("unembed.hook_out", keep(clean)));
    for (auto const& pattern : all) {
        if (pattern.ends_with("_input") || pattern.ends_with("_in") || pattern.ends_with("result"))
            continue;  // not part of *
        CAPTURE(pattern);
        readings<float> patched;
        model(2).run(prompts,
                     hooks::freeze<float>(pattern, every) | hooks::capture<float>("unembed.hook_out", keep(patched)));
        CHECK(plateau::testing::first_difference(patched, clean) == "");
    }
    // in the engine at α = 0, and where the path does not reach
    sweep_options o;
    o.points = 3;
    for (std::string const pattern :
         {"blocks.*.hook_attn_out", "blocks.*.mlp.hook_post", "blocks.1.attn.*", "*ln2.hook_scale"}) {
        auto const rows = by_engine<float>(model, prompts, pairs, o, reads, 2, hooks::freeze<float>(pattern, every));
        for (auto const& [key, values] : rows) {
            if (std::get<0>(key) != "unembed.hook_out" || std::get<2>(key) != 0) continue;
            CHECK(values == clean.at({"unembed.hook_out", pairs[static_cast<std::size_t>(std::get<1>(key))].context, 0,
                                      std::get<3>(key)}));
        }
        check_same<float>(model, prompts, hooks::freeze<float>(pattern, every),
                          {"blocks.0.hook_resid_post", "blocks.1.hook_attn_out"});
    }
}

TEST_CASE("hooks that do nothing change nothing", "[engine][hook_roles]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};
    for (std::string const site : {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.attn.hook_v"}) {
        sweep_options o;
        o.points = 4;
        o.setup.write = site;
        auto const plain = by_engine<float>(model, prompts, pairs, o, reads);
        for (auto const depends : {hooks::depends_on::position, hooks::depends_on::prompt, hooks::depends_on::point}) {
            for (std::string const pattern :
                 {"*", "blocks.2.attn.hook_pattern", "hook_embed", "blocks.1.mlp.hook_pre"}) {
                CAPTURE(site, pattern, static_cast<int>(depends));
                auto const nothing = hooks::patch<float>(
                    pattern, [](auto&&...) {}, depends);
                CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2, nothing),
                                                         plain) == "");
                CHECK((by_engine<float>(model, prompts, pairs, o, reads, 1,
                                        hooks::capture<float>("blocks.2.*", [](auto&&...) {}) | nothing) == plain));
            }
        }
    }
}

TEMPLATE_TEST_CASE("what differs from point to point moves the start of the rows", "[engine][hook_roles]", float,
                   double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = some_prompts();
    auto const by_point = [](std::string const& pattern, positions at) {
        return hooks::change<T>(
            pattern, at,
            [](std::span<T> x, hooks::site const&, hooks::row_id const& row, index) {
            for (T& value : x) value *= T(1) + T(0.25) * static_cast<T>(row.point + row.item);
            },
            hooks::depends_on::point);
    };
    for (std::string const pattern :
         {"blocks.2.hook_attn_out", "blocks.0.attn.hook_k", "blocks.0.hook_resid_post", "blocks.1.ln2.hook_scale",
          "hook_embed", "blocks.*.mlp.hook_post", "ln_final.hook_scale"}) {
        for (auto const at : {positions::all(), positions{-5, -3}, positions::last()}) {
            CAPTURE(pattern, at.first, at.end);
            check_same<T>(model, prompts, by_point(pattern, at),
                          {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.hook_attn_out"});
        }
    }
    // a lambda that promises nothing
    auto const lambda = hooks::patch<T>("blocks.1.hook_resid_mid",
                                        [](auto const&, hooks::where const& w, plateau::tensor::view<T, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r)
            rows(static_cast<index>(r), 0, 3) += static_cast<T>(w.rows[r].point);
    });
    check_same<T>(model, prompts, lambda);
    check_same<T>(model, prompts,
                  lambda | hooks::zero_ablate<T>("blocks.0.attn.hook_z", heads{1}) |
                      by_point("blocks.0.hook_mlp_out", positions::one(3)));
}

TEST_CASE("prompts that share a prefix do not share what hooks make of it", "[engine][hook_roles]") {
    auto const model = random_model<float>();
    auto prompts = some_prompts();  // of 6, 9, 6, … tokens
    std::copy_n(prompts[0].begin(), 5, prompts[1].begin());
    sweep_options o;
    o.points = 2;
    o.setup.positions.at = positions::one(4);
    std::vector<std::string> const reads{"blocks.1.hook_resid_post", "unembed.hook_out"};
    auto const every = recorded<float>(model, tiny::random_prompts(8, {9, 9, 9, 9, 9}, 37), "blocks.1.hook_attn_out");
    for (auto const& set :
         {hooks::zero_ablate<float>("blocks.1.hook_attn_out", positions::one(-6)),  // position 0 of one, 3 of another
          hooks::freeze<float>("blocks.1.hook_attn_out", every), hooks::scale<float>("blocks.1.attn.hook_v", 2)}) {
        CHECK((by_engine<float>(model, prompts, pairs, o, reads, 2, set) ==
               published_way<float>(model, prompts, pairs, o, reads, set)));
    }
}

TEST_CASE("hooks act from left to right", "[engine][hook_roles]") {
    auto const model = random_model<double>();
    auto const prompts = some_prompts();
    std::vector<std::string> const reads{"unembed.hook_out"};
    auto const add = hooks::add<double>("blocks.1.hook_resid_post", std::vector<double>(24, 0.5));
    auto const twice = hooks::scale<double>("blocks.1.hook_resid_post", 2);
    check_same<double>(model, prompts, add | twice, {"blocks.0.hook_resid_post", "blocks.1.hook_resid_post"});
    sweep_options o;
    o.points = 2;
    CHECK((by_engine<double>(model, prompts, pairs, o, reads, 1, add | twice) !=
           by_engine<double>(model, prompts, pairs, o, reads, 1, twice | add)));
}

TEST_CASE("rows with interventions depend on nothing but themselves", "[engine][hook_roles]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};
    auto const every = recorded<float>(model, prompts, "blocks.1.*");
    auto const set = hooks::freeze<float>("blocks.1.hook_mlp_out", every, positions{-3, 0}) |
                     hooks::zero_ablate<float>("blocks.2.attn.hook_z", heads{0}) |
                     hooks::scale<float>("blocks.0.hook_attn_out", 1.5F, positions::one(2));
    sweep_options o;
    o.points = 40;
    auto const reference = by_engine<float>(model, prompts, pairs, o, reads, 1, set);
    for (int threads : {2, 5})
        CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, threads, set),
                                                 reference) == "");
    for (index rows : {1, 30, 1000}) {
        o.travel.block_rows = rows;
        CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2, set),
                                                 reference) == "");
        // and whole pairs together, wherever somebody wants them so
        auto const whole = set | engine::read_paths<float>("ln_final.hook_out", [](index, auto) {});
        CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2, whole),
                                                 reference) == "");
    }
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        for (auto const& [key, values] : by_engine<float>(model, prompts, {pairs[p]}, o, reads, 1, set)) {
            CHECK(values ==
                  reference.at({std::get<0>(key), static_cast<index>(p), std::get<2>(key), std::get<3>(key)}));
        }
    }
}

TEST_CASE("what a sweep cannot honour is an error that says so", "[engine][hook_roles][errors]") {
    auto const model = random_model<float>();
    auto const prompts = some_prompts();
    sweep_options o;
    o.points = 2;
    auto const run = [&](hooks::hook_set<float> const& set) {
        by_engine<float>(model, prompts, pairs, o, {"unembed.hook_out"}, 1, set);
    };
    CHECK_THROWS_WITH(run(hooks::zero_ablate<float>("blocks.0.hook_nothing")), contains("nearest"));
    CHECK_THROWS_WITH(run(hooks::zero_ablate<float>("blocks.2.attn.hook_v", heads{2})), contains("has no head 2"));
    CHECK_THROWS_WITH(run(hooks::zero_ablate<float>("blocks.2.hook_mlp_out", heads{0})), contains("it has no heads"));
    CHECK_THROWS_WITH(run(hooks::zero_ablate<float>("blocks.2.hook_mlp_out", positions::one(8))), contains("too few"));
    CHECK_THROWS_WITH(run(hooks::add<float>("blocks.2.hook_mlp_out", {1, 2})), contains("2 values"));
    CHECK_THROWS_WITH(run(hooks::freeze<float>("blocks.2.hook_mlp_out", std::make_shared<hooks::recording<float>>())),
                      contains("nothing was recorded"));
    CHECK_THROWS_WITH(
        run(hooks::freeze_rows<float>("blocks.0.hook_mlp_out", std::make_shared<hooks::recording<float>>())),
        contains("start after it"));
    o.setup.endpoints_see_hooks = true;
    CHECK_THROWS_WITH(run(hooks::patch<float>("blocks.2.hook_mlp_out", [](auto&&...) {})), contains("have no point"));
}

}  // namespace
