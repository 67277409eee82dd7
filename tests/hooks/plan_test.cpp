#include <plateau/hooks/plan.hpp>

#include <plateau/core/parallel.hpp>

#include "support/catch.hpp"
#include "support/hooked_rows.hpp"

namespace {

using plateau::index;
using plateau::site_error;
using plateau::tensor::view;
namespace hooks = plateau::hooks;
using hooks::site_id;

/// A model of two layers with embedding, a few sites per block, and a head.
std::vector<hooks::site> some_sites() {
    std::vector<hooks::site> all{{site_id::embed, -1, hooks::site_axes::vector, 1, 2}};
    for (int layer : {0, 1}) {
        for (auto id : {site_id::resid_pre, site_id::q, site_id::attn_out, site_id::resid_mid, site_id::resid_post}) {
            all.push_back({id, layer, hooks::site_axes::vector, 1, 2});
        }
    }
    for (auto id : {site_id::ln_final_scale, site_id::ln_final_out, site_id::unembed_out}) {
        all.push_back({id, -1, hooks::site_axes::vector, 1, 2});
    }
    return all;
}

hooks::hook_set<double> watch(std::string const& pattern) {
    return hooks::capture<double>(pattern, [](auto&&...) {});
}

hooks::plan<double> plan_of(hooks::hook_set<double> const& set) { return {set, some_sites()}; }

/// Calls the hooks of a site as a pass does. @param rows  [R, A, B]
void fire(hooks::plan<double> const& plan, site_id id, int layer, std::span<hooks::row_id const> ids = {},
          view<double, 3> rows = {}) {
    plan.each(id, layer, [&](auto const& one) {
        plateau::testing::act<double>(hooks::hook<double>{one.at.name(), one.action}, one.at, ids, rows);
    });
}

std::string message(std::string const& pattern) {
    try {
        hooks::matching_sites(some_sites(), pattern);
    } catch (site_error const& problem) {
        return problem.what();
    }
    return "";
}

TEST_CASE("a pattern finds its sites in firing order", "[hooks][plan]") {
    auto const found = hooks::matching_sites(some_sites(), "*resid_p*");
    std::vector<std::string> names;
    for (auto const& one : found) names.push_back(one.name());
    CHECK(names == std::vector<std::string>{"blocks.0.hook_resid_pre", "blocks.0.hook_resid_post",
                                            "blocks.1.hook_resid_pre", "blocks.1.hook_resid_post"});
    CHECK(hooks::matching_sites(some_sites(), "*").size() == some_sites().size());
}

TEST_CASE("a site that costs much is found by its own name alone", "[hooks][plan]") {
    auto sites = some_sites();
    for (auto const id : {site_id::q_input, site_id::result}) sites.push_back({id, 1, hooks::site_axes::heads, 2, 2});
    CHECK(hooks::matching_sites(sites, "*").size() == some_sites().size());
    CHECK(hooks::matching_sites(sites, "*hook_q*").size() == 2);  // hook_q
    CHECK(hooks::matching_sites(sites, "*hook_q_input").size() == 1);
    CHECK(hooks::matching_sites(sites, "blocks.*.attn.hook_result").size() == 1);
    CHECK(hooks::matching_sites(sites, "blocks.1.hook_q_input").size() == 1);
}

TEST_CASE("a name that no site has is answered with the nearest names", "[hooks][plan]") {
    CHECK_THAT(message("blocks.1.hook_resid_pots"), plateau::testing::contains("blocks.1.hook_resid_pots") &&
                                                        plateau::testing::contains("blocks.1.hook_resid_post"));
    CHECK_THAT(message("hook_embedding"), plateau::testing::contains("hook_embed"));
    CHECK_THAT(message("blocks.7.attn.hook_q"), plateau::testing::contains("blocks.0.attn.hook_q") &&
                                                    plateau::testing::contains("blocks.1.attn.hook_q"));
    CHECK_THAT(message(""), plateau::testing::contains("no hook point ''"));
    CHECK_THROWS_AS(plan_of(watch("blocks.2.hook_resid_post")), site_error);
    CHECK_THROWS_AS(plan_of(watch("hook_embed") | watch("nothing*")), site_error);
}

TEST_CASE("one site is found by its name or by a pattern that names it alone", "[hooks][plan]") {
    CHECK(hooks::find_site(some_sites(), "blocks.1.attn.hook_q").layer == 1);
    CHECK(hooks::find_site(some_sites(), "*1.attn*").name() == "blocks.1.attn.hook_q");
    CHECK_THROWS_AS(hooks::find_site(some_sites(), "*hook_q"), site_error);
    CHECK_THROWS_WITH(
        hooks::find_site(some_sites(), "*hook_q"),
        plateau::testing::contains("2 hook points") && plateau::testing::contains("blocks.0.attn.hook_q"));
    CHECK_THROWS_AS(hooks::find_site(some_sites(), "blocks.0.hook_v"), site_error);
}

TEST_CASE("a plan wants the sites that somebody asked for and no other", "[hooks][plan]") {
    auto const plan = plan_of(watch("blocks.1.*mid") | watch("*hook_q") | watch("ln_final.hook_out"));
    for (auto const& at : some_sites()) {
        bool const asked =
            at.name() == "blocks.1.hook_resid_mid" || at.id == site_id::q || at.id == site_id::ln_final_out;
        CAPTURE(at.name());
        CHECK(plan.wanted(at.id, at.layer) == asked);
    }
    CHECK_FALSE(plan.empty());
    hooks::plan<double> const none, of_nothing = plan_of({});
    for (auto const& at : some_sites()) {
        CHECK_FALSE(none.wanted(at.id, at.layer));
        CHECK_FALSE(of_nothing.wanted(at.id, at.layer));
    }
    CHECK_FALSE(plan.wanted(site_id::q, 2));  // a layer that the model does not have
    CHECK(none.empty());
    CHECK(of_nothing.empty());
    CHECK_NOTHROW(none.require_all_fired("nothing was asked for"));
}

TEST_CASE("at one site hooks act from left to right", "[hooks][plan]") {
    double const start = GENERATE(1.0, 7.0);
    double seen = 0, value = start;
    auto const see =
        hooks::capture<double>("hook_embed", [&](auto&&, auto&&, view<double const, 3> rows) { seen = rows(0, 0, 0); });
    auto const twice = hooks::patch<double>("hook_*", [](auto&&, auto&&, view<double, 3> rows) { rows(0, 0, 0) *= 2; });
    auto const one_more =
        hooks::patch<double>("hook_embed", [](auto&&, auto&&, view<double, 3> rows) { rows(0, 0, 0) += 1; });
    std::vector<hooks::row_id> const ids(1);
    auto const act = [&](hooks::hook_set<double> const& set) {
        value = start;
        fire(plan_of(set), site_id::embed, -1, ids, {&value, {1, 1, 1}});
    };
    act(see | twice);
    CHECK(seen == start);
    act(twice | see);
    CHECK(seen == 2 * start);
    act(twice | see | one_more);
    CHECK(seen == 2 * start);
    CHECK(value == 2 * start + 1);
    act(one_more | twice);
    CHECK(value == 2 * (start + 1));
}

TEST_CASE("firing a site calls the hooks of that site and layer alone", "[hooks][plan]") {
    std::vector<std::string> called;
    auto const plan =
        plan_of(hooks::capture<double>("*", [&](hooks::site const& at, auto&&...) { called.push_back(at.name()); }));
    for (auto const& at : some_sites()) {
        called.clear();
        fire(plan, at.id, at.layer);
        CHECK(called == std::vector<std::string>{at.name()});
    }
    called.clear();
    fire(plan, site_id::v, 0);  // no such site in this model
    CHECK(called.empty());
}

TEST_CASE("a hook tells the site's shape", "[hooks][plan]") {
    std::string shape;
    auto const plan = plan_of(hooks::capture<double>(
        "blocks.1.attn.hook_q", [&](hooks::site const& at, auto&&...) { shape = at.shape_text(); }));
    fire(plan, site_id::q, 1);
    CHECK(shape == "[N,T,2]");
}

TEST_CASE("hooks that never fired are named", "[hooks][plan]") {
    auto const plan = plan_of(watch("*hook_q") | watch("hook_embed"));
    CHECK_THROWS_AS(plan.require_all_fired("why"), site_error);
    fire(plan, site_id::q, 1);
    fire(plan, site_id::embed, -1);
    CHECK_THROWS_WITH(plan.require_all_fired("no row came past it"),
                      "the hook at blocks.0.attn.hook_q never fired: no row came past it");
    fire(plan, site_id::q, 0);
    CHECK_NOTHROW(plan.require_all_fired("why"));
}

TEST_CASE("blocks run up to the last that is wanted", "[hooks][plan]") {
    int const all = 2;
    CHECK(hooks::plan<double>{}.layers_wanted(all) == 0);
    CHECK(plan_of(watch("hook_embed")).layers_wanted(all) == 0);
    CHECK(plan_of(watch("blocks.0.hook_resid_pre")).layers_wanted(all) == 1);
    CHECK(plan_of(watch("blocks.0.*") | watch("hook_embed")).layers_wanted(all) == 1);
    CHECK(plan_of(watch("*hook_q")).layers_wanted(all) == 2);
    CHECK(plan_of(watch("ln_final.hook_scale")).layers_wanted(all) == 2);
    CHECK(plan_of(watch("unembed.hook_out") | watch("blocks.0.*")).layers_wanted(all) == 2);
}

TEST_CASE("what comes after the blocks runs if it is wanted", "[hooks][plan]") {
    CHECK_FALSE(plan_of(watch("blocks.*") | watch("hook_embed")).wants_from(site_id::ln_final_scale));
    CHECK(plan_of(watch("ln_final.hook_out")).wants_from(site_id::ln_final_scale));
    CHECK_FALSE(plan_of(watch("ln_final.hook_out")).wants_from(site_id::unembed_out));
    CHECK(plan_of(watch("unembed.hook_out")).wants_from(site_id::ln_final_scale));
    CHECK(plan_of(watch("unembed.hook_out")).wants_from(site_id::unembed_out));
}

TEST_CASE("hooks may fire from many threads", "[hooks][plan]") {
    std::vector<int> calls(64);
    auto const plan = plan_of(hooks::capture<double>(
        "*hook_q", [&](auto&&, hooks::where const& w, auto&&) { ++calls[static_cast<std::size_t>(w.rows[0].item)]; }));
    plateau::parallel_for(4, 64, [&](index item, int) {
        hooks::row_id const id{item, 0, 0, true, false};
        double value = 0;
        fire(plan, site_id::q, static_cast<int>(item % 2), {&id, 1}, {&value, {1, 1, 1}});
    });
    CHECK(calls == std::vector<int>(64, 1));
    CHECK_NOTHROW(plan.require_all_fired("why"));
}

}  // namespace
