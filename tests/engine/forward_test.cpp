#include <plateau/engine/forward.hpp>

#include <limits>
#include <map>

#include "support/catch.hpp"
#include "support/first_difference.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::prompt_list;
using plateau::testing::contains;
using plateau::testing::random_model;

/// Every row of a site, by (prompt, position).
template <class T>
using rows_of = std::map<std::pair<index, index>, std::vector<T>>;

template <class T>
rows_of<T> site_rows(plateau::model<T> const& model, prompt_list const& prompts, std::string const& site,
                     hooks::hook_set<T> const& first = {}) {
    rows_of<T> result;
    auto const keep =
        hooks::serialised<T>([&](hooks::site const&, hooks::where const& w, plateau::tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const row = rows[static_cast<index>(r)];
                result[{w.rows[r].item, w.rows[r].position}] = {row.data(), row.data() + row.size()};
            }
        });
    engine::forward(model.engine(), prompts, first | hooks::capture<T>(site, keep));
    return result;
}

TEMPLATE_TEST_CASE("a prompt's bits do not depend on the others", "[engine][forward]", float, double) {
    auto const on = random_model<TestType>(3);
    auto const& model = on(1);
    std::vector<index> lengths;
    for (index i = 0; i < 90; ++i) lengths.push_back(1 + i * 7 % 33);
    auto const prompts = tiny::random_prompts(9, lengths, 37);
    auto const together = site_rows<TestType>(on(3), prompts, "unembed.hook_out");
    CHECK(plateau::testing::first_difference(together, site_rows<TestType>(model, prompts, "unembed.hook_out")) == "");
    for (std::size_t i = 0; i < prompts.size(); i += 13) {
        for (auto const& [key, values] : site_rows<TestType>(model, {prompts[i]}, "unembed.hook_out")) {
            CHECK(plateau::testing::first_difference(values, together.at({static_cast<index>(i), key.second})) == "");
        }
    }
}

TEMPLATE_TEST_CASE("a position ignores what comes after it, bit for bit", "[engine][forward]", float, double) {
    auto const model = random_model<TestType>(3)(1);
    auto prompts = tiny::random_prompts(4, {20}, 37);
    auto const before = site_rows<TestType>(model, prompts, "unembed.hook_out");
    prompts[0][11] = (prompts[0][11] + 1) % 37;
    auto const after = site_rows<TestType>(model, prompts, "unembed.hook_out");
    for (index t = 0; t < 20; ++t) CHECK((before.at({0, t}) == after.at({0, t})) == (t < 11));
}

TEST_CASE("looking everywhere changes no bit", "[engine][forward]") {
    auto const model = random_model<float>(3)(1);
    auto const prompts = tiny::random_prompts(4, {20, 3, 64}, 37);
    auto const quiet = site_rows<float>(model, prompts, "unembed.hook_out");
    index seen = 0;
    auto const everything =
        hooks::capture<float>("*", hooks::serialised<float>([&](auto const&, auto const&, auto) { ++seen; }));
    CHECK(plateau::testing::first_difference(site_rows<float>(model, prompts, "unembed.hook_out", everything), quiet) ==
          "");
    CHECK(seen >= static_cast<index>(hooks::matching_sites(model.sites(), "*").size()));
}

TEST_CASE("sites fire in the order of the list, once per block of rows", "[engine][forward]") {
    auto const model = random_model<float>(3)(1);
    std::vector<std::string> fired, listed;
    engine::forward(
        model.engine(), tiny::random_prompts(4, {5}, 37),
        hooks::capture<float>("*", [&](hooks::site const& at, auto const&, auto) { fired.push_back(at.name()); }));
    for (auto const& site : hooks::matching_sites(model.sites(), "*")) listed.push_back(site.name());
    CHECK(fired == listed);
}

TEST_CASE("the residual sums hold in every block, exactly", "[engine][forward]") {
    auto const model = random_model<float>(3)(1);
    auto const prompts = tiny::random_prompts(4, {20, 3}, 37);
    for (std::string const at : {"blocks.0.", "blocks.1.", "blocks.2."}) {
        auto const pre = site_rows<float>(model, prompts, at + "hook_resid_pre"),
                   attn = site_rows<float>(model, prompts, at + "hook_attn_out"),
                   mid = site_rows<float>(model, prompts, at + "hook_resid_mid"),
                   mlp = site_rows<float>(model, prompts, at + "hook_mlp_out"),
                   post = site_rows<float>(model, prompts, at + "hook_resid_post");
        for (auto const& [key, values] : pre) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                REQUIRE(values[i] + attn.at(key)[i] == mid.at(key)[i]);
                REQUIRE(mid.at(key)[i] + mlp.at(key)[i] == post.at(key)[i]);
            }
        }
    }
}

TEST_CASE("prompts that do not fit are refused with a reason", "[engine][forward][errors]") {
    auto const model = random_model<float>(3)(1);
    auto const run = [&](prompt_list const& prompts) {
        engine::forward(model.engine(), prompts,
                        hooks::capture<float>("hook_embed", [](auto const&, auto const&, auto) {}));
    };
    CHECK_THROWS_WITH(run({}), contains("no prompts"));
    CHECK_THROWS_WITH(run({{1}, {}}), contains("prompt 1 is empty"));
    CHECK_THROWS_WITH(run({{1, 37}}), contains("token 37"));
    CHECK_THROWS_WITH(run({{-1}}), contains("token -1"));
    CHECK_THROWS_WITH(run({std::vector<plateau::token_id>(65, 1)}), contains("context ends at 64"));
    CHECK_NOTHROW(run({std::vector<plateau::token_id>(64, 1)}));
}

TEST_CASE("a model that overflows names layer and prompt", "[engine][forward][errors]") {
    auto const model = plateau::testing::changed_model<float>(3, [](auto& transformer) {
        transformer.blocks[1].attention.before->weight.data()[0] = std::numeric_limits<float>::infinity();
    });
    CHECK_THROWS_WITH(site_rows<float>(model(1), {{1, 2}, {3}}, "unembed.hook_out"),
                      contains("after layer 1, prompt 0"));
}

}  // namespace
