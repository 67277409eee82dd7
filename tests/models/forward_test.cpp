#include <plateau/models/forward.hpp>

#include <limits>
#include <map>

#include <plateau/models/load.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;
namespace models = plateau::models;
using context = plateau::backend::cpu_context;
using plateau::testing::contains;

template <class T>
models::language_model<context, T> random_model(std::uint64_t seed = 3) {
    plateau::testing::scratch_dir const folder;
    tiny::checkpoint{seed}.write(folder.path());
    return models::load<T>(folder.path(), context{1});
}

/// Every row of a site, by (prompt, position).
template <class T>
using rows_of = std::map<std::pair<index, index>, std::vector<T>>;

template <class T, class Model>
rows_of<T> site_rows(Model const& model, models::prompt_list const& prompts, std::string const& site, int threads = 1,
                     hooks::hook_set<T> const& first = {}) {
    rows_of<T> result;
    auto const keep =
        hooks::serialised<T>([&](hooks::site const&, hooks::where const& w, plateau::tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const row = rows[static_cast<index>(r)];
                result[{w.rows[r].item, w.rows[r].position}] = {row.data(), row.data() + row.size()};
            }
        });
    models::forward(context{threads}, model, prompts, first | hooks::capture<T>(site, keep));
    return result;
}

TEMPLATE_TEST_CASE("a prompt's bits do not depend on the others", "[models][forward]", float, double) {
    auto const model = random_model<TestType>();
    std::vector<index> lengths;
    for (index i = 0; i < 90; ++i) lengths.push_back(1 + i * 7 % 33);
    auto const prompts = tiny::random_prompts(9, lengths, 37);
    auto const together = site_rows<TestType>(model, prompts, "unembed.hook_out", 3);
    CHECK((together == site_rows<TestType>(model, prompts, "unembed.hook_out", 1)));
    for (std::size_t i = 0; i < prompts.size(); i += 13) {
        for (auto const& [key, values] : site_rows<TestType>(model, {prompts[i]}, "unembed.hook_out")) {
            CHECK((values == together.at({static_cast<index>(i), key.second})));
        }
    }
}

TEMPLATE_TEST_CASE("a position ignores what comes after it, bit for bit", "[models][forward]", float, double) {
    auto const model = random_model<TestType>();
    auto prompts = tiny::random_prompts(4, {20}, 37);
    auto const before = site_rows<TestType>(model, prompts, "unembed.hook_out");
    prompts[0][11] = (prompts[0][11] + 1) % 37;
    auto const after = site_rows<TestType>(model, prompts, "unembed.hook_out");
    for (index t = 0; t < 20; ++t) CHECK((before.at({0, t}) == after.at({0, t})) == (t < 11));
}

TEST_CASE("looking everywhere changes no bit", "[models][forward]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(4, {20, 3, 64}, 37);
    auto const quiet = site_rows<float>(model, prompts, "unembed.hook_out");
    index seen = 0;
    auto const everything =
        hooks::capture<float>("*", hooks::serialised<float>([&](auto const&, auto const&, auto) { ++seen; }));
    CHECK((site_rows<float>(model, prompts, "unembed.hook_out", 1, everything) == quiet));
    CHECK(seen >= static_cast<index>(hooks::matching_sites(model.sites(), "*").size()));
}

TEST_CASE("sites fire in the order of the list, once per block of rows", "[models][forward]") {
    auto const model = random_model<float>();
    std::vector<std::string> fired, listed;
    models::forward(
        context{1}, model, tiny::random_prompts(4, {5}, 37),
        hooks::capture<float>("*", [&](hooks::site const& at, auto const&, auto) { fired.push_back(at.name()); }));
    for (auto const& site : hooks::matching_sites(model.sites(), "*")) listed.push_back(site.name());
    CHECK(fired == listed);
}

TEST_CASE("the residual sums hold in every block, exactly", "[models][forward]") {
    auto const model = random_model<float>();
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

TEST_CASE("prompts that do not fit are refused with a reason", "[models][forward][errors]") {
    auto const model = random_model<float>();
    auto const run = [&](models::prompt_list const& prompts) {
        models::forward(context{1}, model, prompts,
                        hooks::capture<float>("hook_embed", [](auto const&, auto const&, auto) {}));
    };
    CHECK_THROWS_WITH(run({}), contains("no prompts"));
    CHECK_THROWS_WITH(run({{1}, {}}), contains("prompt 1 is empty"));
    CHECK_THROWS_WITH(run({{1, 37}}), contains("token 37"));
    CHECK_THROWS_WITH(run({{-1}}), contains("token -1"));
    CHECK_THROWS_WITH(run({std::vector<plateau::token_id>(65, 1)}), contains("context ends at 64"));
    CHECK_NOTHROW(run({std::vector<plateau::token_id>(64, 1)}));
}

TEST_CASE("a model that overflows names layer and prompt", "[models][forward][errors]") {
    auto model = random_model<float>();
    model.blocks[1].norm1->weight.data()[0] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(site_rows<float>(model, {{1, 2}, {3}}, "unembed.hook_out"), contains("after layer 1, prompt 0"));
}

}  // namespace
