#include <plateau/engine/patched_rows.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include <plateau/sweep/interpolate.hpp>

#include "support/first_difference.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::testing::contains;

/// The last one runs in the context of its other end.
std::vector<engine::prompt_pair> const some_pairs{{0, 1}, {1, 2}, {3, 0}, {1, 3, 3}};

TEMPLATE_TEST_CASE("shared-prefix rows have the bits of full forward passes", "[engine][patched_rows]", float, double) {
    auto const model = random_model<TestType>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);
    std::vector<std::string> const last{"blocks.2.hook_resid_post", "blocks.2.attn.hook_pattern", "ln_final.hook_out",
                                        "unembed.hook_out"};
    for (std::string const site :
         {"hook_embed", "blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_pre",
          "blocks.1.hook_resid_mid", "blocks.1.hook_attn_out", "blocks.1.hook_mlp_out", "blocks.1.mlp.hook_post",
          "blocks.1.attn.hook_q", "blocks.1.attn.hook_k", "blocks.1.attn.hook_v", "blocks.1.attn.hook_z",
          "blocks.1.ln1.hook_normalized", "blocks.1.mlp.hook_pre", "blocks.2.hook_resid_post"}) {
        for (auto const& [first, count] :
             std::vector<std::pair<index, index>>{{-1, 1}, {-3, 1}, {-3, 3}, {2, 2}, {0, 1}}) {
            sweep_options o;
            o.setup.write = site;
            o.points = 4;
            o.setup.positions.at = {first, first + count};
            std::vector<std::string> reads{site};
            for (auto const& read : last) {
                if (site != "blocks.2.hook_resid_post" || read != "blocks.2.attn.hook_pattern") reads.push_back(read);
            }
            CAPTURE(site, first, count);
            auto const expected = published_way<TestType>(model, prompts, some_pairs, o, reads);
            CHECK(plateau::testing::first_difference(by_engine<TestType>(model, prompts, some_pairs, o, reads),
                                                     expected) == "");
        }
    }
}

TEST_CASE("pairs with positions of their own share blocks", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);
    std::vector<std::string> const reads{"blocks.2.hook_resid_post", "unembed.hook_out"};
    std::vector<engine::prompt_pair> pairs{{0, 1}};
    for (index t = 0; t < 6; ++t) pairs.push_back({0, 1, 0, engine::write_positions{hooks::positions::one(t)}});
    pairs.push_back({0, 3, 0, engine::write_positions{hooks::positions{1, 4}}});
    pairs.push_back({0, 0, 0, engine::write_positions{.suffix = true}});
    for (std::string const site : {"blocks.0.hook_resid_pre", "blocks.1.hook_resid_post", "blocks.1.attn.hook_v"}) {
        sweep_options o;
        o.setup.write = site;
        o.points = 2;
        o.setup.positions.at = {-2, 0};
        auto const expected = published_way<float>(model, prompts, pairs, o, reads);
        for (index const rows : {4, 252}) {
            for (index const inline_rows : {0, 48}) {
                CAPTURE(site, rows, inline_rows);
                o.travel.block_rows = rows;
                o.travel.max_inline_prefix_rows = inline_rows;
                CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2),
                                                         expected) == "");
            }
        }
    }
}

TEST_CASE("a row's bits depend on nothing but itself", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(5, {8, 6, 7, 8, 1, 5}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5},
                                                 {0, 5}, {0, 3}, {5, 0}, {0, 0}};
    std::vector<std::string> const reads{"blocks.1.hook_resid_mid", "ln_final.hook_out"};
    sweep_options o;
    o.points = 50;
    auto const reference = by_engine<float>(model, prompts, pairs, o, reads);

    SECTION("threads") {
        for (int threads : {2, 3, 8})
            CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, threads),
                                                     reference) == "");
    }
    SECTION("block size, with pairs cut in two") {
        for (index rows : {1, 64, 70, 100, 1000}) {
            CAPTURE(rows);
            o.travel.block_rows = rows;
            CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2), reference) ==
                  "");
        }
    }
    SECTION("memory for prefixes") {
        o.travel.prefix_bytes = 1;  // one context at a time
        CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2), reference) ==
              "");
    }
    SECTION("company") {
        for (std::size_t p = 0; p < pairs.size(); ++p) {
            for (auto const& [key, values] : by_engine<float>(model, prompts, {pairs[p]}, o, reads)) {
                CHECK(values ==
                      reference.at({std::get<0>(key), static_cast<index>(p), std::get<2>(key), std::get<3>(key)}));
            }
        }
    }
    SECTION("number of steps, at the shared points") {
        o.points = 99;
        auto const finer = by_engine<float>(model, prompts, pairs, o, reads);
        for (auto const& [key, values] : reference) {
            auto const [site, pair, point, position] = key;
            CHECK(values == finer.at({site, pair, 2 * point, position}));
        }
    }
    SECTION("who else looks") {
        auto more = reads;
        more.insert(more.end(), {"blocks.1.attn.hook_pattern", "blocks.2.mlp.hook_post", "unembed.hook_out"});
        auto const observed = by_engine<float>(model, prompts, pairs, o, more);
        for (auto const& [key, values] : reference) CHECK(values == observed.at(key));
    }
}

TEST_CASE("reference rows evaluated again in another block have the same bits", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(5, {8, 6}, 37);
    sweep_options o;
    o.points = 150;
    o.travel.block_rows = 64;
    readings<float> seen;
    index copies = 0;
    auto const count = [&](auto const&, hooks::where const& w, auto) {
        for (auto const& row : w.rows) copies += row.reference_copy ? 1 : 0;
    };
    engine::patched_rows<float>{model(1).engine(), prompts, o.points, o.setup, o.travel}.run(
        {{0, 1}}, line<float>(o.points),
        hooks::capture<float>("ln_final.hook_out", keep(seen, true)) |
            hooks::capture<float>("ln_final.hook_out", count));
    CHECK(copies == 2);
    CHECK(seen.size() == 150);
}

TEST_CASE("patching a prompt with its own activation changes no bit", "[engine][patched_rows]") {
    auto const model = random_model<double>();
    auto const prompts = tiny::random_prompts(11, {5, 9}, 37);
    readings<double> clean;
    model(1).run(prompts, hooks::capture<double>("unembed.hook_out", keep(clean)));
    for (std::string const site :
         {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.attn.hook_z", "blocks.2.hook_mlp_out"}) {
        CAPTURE(site);
        sweep_options o;
        o.setup.write = site;
        o.points = 3;
        for (auto const& [key, values] : by_engine<double>(model, prompts, {{0, 0}, {1, 1}}, o, {"unembed.hook_out"})) {
            if (std::get<2>(key) != 0) continue;  // (1 − α) a + α a may round
            CHECK(values == clean.at({std::get<0>(key), std::get<1>(key), 0, std::get<3>(key)}));
        }
    }
}

TEST_CASE("a row's bits do not depend on how its prefix came to it, nor on who shares it", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto prompts = tiny::random_prompts(3, {6, 9, 6, 7, 4}, 37);
    std::copy_n(prompts[0].begin(), 5, prompts[2].begin());  // the same but for the last token
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {2, 1}, {2, 0}, {3, 4}};
    for (std::string const site : {"hook_embed", "blocks.0.hook_resid_pre", "blocks.0.hook_resid_post",
                                   "blocks.1.hook_attn_out", "blocks.2.hook_resid_post"}) {
        for (index const first : {-1, -3, 0}) {
            CAPTURE(site, first);
            sweep_options o;
            o.setup.write = site;
            o.setup.positions.at = hooks::positions::one(first);
            o.points = 7;
            o.travel.max_inline_prefix_rows = 0;
            std::vector<std::string> reads{"blocks.2.hook_resid_post", "unembed.hook_out"};
            if (site != reads.front()) reads.push_back("blocks.2.attn.hook_pattern");
            auto const wanted = by_engine<float>(model, prompts, pairs, o, reads);
            CHECK(plateau::testing::first_difference(wanted, published_way<float>(model, prompts, pairs, o, reads)) ==
                  "");
            o.travel.max_inline_prefix_rows = 1000;
            for (auto const& [rows, threads] : std::vector<std::pair<index, int>>{{252, 1}, {6, 2}, {17, 2}}) {
                CAPTURE(rows, threads);
                o.travel.block_rows = rows;
                CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, threads),
                                                         wanted) == "");
            }
        }
    }
}

TEST_CASE("prompts share a prefix if their rotary frequencies are the same", "[engine][patched_rows]") {
    // within and beyond the 16 positions of the first training, all with the same first tokens
    auto prompts = tiny::random_prompts(3, {20, 14, 24, 20, 16, 17}, 67);
    for (auto& prompt : prompts) std::copy_n(prompts[0].begin(), 13, prompt.begin());
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}, {3, 4}, {4, 5}, {5, 0}};
    for (std::string const name : {"llama_dynamic_rope", "phi3_longrope", "llama_yarn_rope"}) {
        auto const model = golden_model<float>(name);
        CHECK(model(1).engine().facts().ropes.empty() == (name == "llama_yarn_rope"));
        for (std::string const site : {"hook_embed", "blocks.0.hook_resid_post"}) {
            for (index const inline_rows : {0, 1000}) {
                CAPTURE(name, site, inline_rows);
                sweep_options o;
                o.setup.write = site;
                o.points = 3;
                o.travel.max_inline_prefix_rows = inline_rows;
                std::vector<std::string> const reads{"blocks.1.hook_resid_post", "unembed.hook_out"};
                CHECK(plateau::testing::first_difference(by_engine<float>(model, prompts, pairs, o, reads, 2),
                                                         published_way<float>(model, prompts, pairs, o, reads)) == "");
            }
        }
    }
}

TEMPLATE_TEST_CASE("points that the backend makes have the bits of those that a writer writes",
                   "[engine][patched_rows]", float, double) {
    using T = TestType;
    auto const model = random_model<T>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);
    index const points = 23;
    auto const lines = plateau::sweep::straight_lines<T>(points);
    REQUIRE(lines.has_lines());
    REQUIRE_FALSE(line<T>(points).has_lines());
    for (std::string const site : {"hook_embed", "blocks.0.hook_resid_pre", "blocks.0.hook_resid_post",
                                   "blocks.1.hook_resid_pre", "blocks.1.hook_attn_out", "blocks.2.hook_resid_post"}) {
        for (auto const at : {hooks::positions::last(), hooks::positions{-3, -1}}) {
            sweep_options o;
            o.points = points;
            o.setup.write = site;
            o.setup.positions.at = at;
            std::vector<std::string> const reads{site, "ln_final.hook_out"};
            auto const written = by_engine<T>(model, prompts, some_pairs, o, reads);
            for (auto const& [rows, threads, inline_rows] :
                 std::vector<std::tuple<index, int, index>>{{252, 2, 48}, {252, 1, 0}, {7, 2, 48}, {1, 1, 0}}) {
                CAPTURE(site, at.first, rows, threads, inline_rows);
                o.travel.block_rows = rows;
                o.travel.max_inline_prefix_rows = inline_rows;
                CHECK(plateau::testing::first_difference(
                          by_engine<T>(model, prompts, some_pairs, o, reads, threads, {}, lines), written) == "");
            }
        }
    }
}

TEST_CASE("a path goes from one end to the other in the context of either", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(3, {6, 9}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 0}, {0, 1, 1}, {1, 0, 0}};
    for (std::string const site : {"blocks.0.hook_resid_post", "blocks.1.hook_mlp_out"}) {
        readings<float> clean;
        model(1).run(prompts, hooks::capture<float>(site, keep(clean)));
        sweep_options o;
        o.points = 5;
        o.setup.write = site;
        std::vector<std::string> const reads{site, "unembed.hook_out"};
        for (auto const& write : {line<float>(5), plateau::sweep::straight_lines<float>(5)}) {
            auto const rows = by_engine<float>(model, prompts, pairs, o, reads, 1, {}, write);
            auto const last = [&](index i) {
                return static_cast<index>(prompts[static_cast<std::size_t>(i)].size()) - 1;
            };
            for (index p = 0; p < 4; ++p) {
                CAPTURE(site, p);
                auto const& pair = pairs[static_cast<std::size_t>(p)];
                CHECK(rows.at({site, p, 0, last(pair.context)}) == clean.at({site, pair.from, 0, last(pair.from)}));
                CHECK(rows.at({site, p, 4, last(pair.context)}) == clean.at({site, pair.to, 0, last(pair.to)}));
            }
            // the same points in another context are not read the same, those in the same context are
            auto const read = [&](index p, index point) {
                return rows.at({"unembed.hook_out", p, point, last(pairs[static_cast<std::size_t>(p)].context)});
            };
            CHECK(read(0, 0) == read(3, 4));
            CHECK(read(0, 4) == read(3, 0));
            CHECK(read(1, 0) == read(2, 4));
            CHECK(read(0, 0) != read(2, 0));
        }
    }
}

TEST_CASE("progress counts every point once", "[engine][patched_rows]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(5, {8, 6, 4}, 37);
    std::atomic<index> points{0};
    sweep_options o;
    o.points = 77;
    o.travel.block_rows = 64;
    o.setup.progress = [&](index count) { points += count; };
    by_engine<float>(model, prompts, {{0, 1}, {1, 2}}, o, {"ln_final.hook_out"}, 2);
    CHECK(points == 2 * 77);
}

TEST_CASE("a sweep that makes no sense says what is wrong", "[engine][patched_rows][errors]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(5, {8, 6}, 37);
    auto const run = [&](sweep_options const& asked, std::vector<engine::prompt_pair> const& pairs,
                         std::string const& read) { by_engine<float>(model, prompts, pairs, asked, {read}); };
    sweep_options o;
    o.points = 3;
    CHECK_THROWS_WITH(run(o, {}, "ln_final.hook_out"), contains("no pairs"));
    CHECK_THROWS_WITH(run(o, {{0, 2}}, "ln_final.hook_out"), contains("prompt 2"));
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "ln_final.hook_oat"), contains("ln_final.hook_out"));
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "blocks.0.hook_resid_mid"), contains("before the write site"));
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "blocks.9.hook_resid_post"), contains("nearest"));
    o.setup.write = "blocks.0.hook_resid_pots";
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "ln_final.hook_out"), contains("blocks.0.hook_resid_post"));
    o.setup.write = "blocks.0.attn.hook_pattern";
    CHECK_THROWS_AS(run(o, {{0, 1}}, "ln_final.hook_out"), plateau::site_error);
    o.setup.write = "blocks.*.hook_resid_post";
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "ln_final.hook_out"), contains("names 3 hook points"));
    o.setup.write = "blocks.0.hook_resid_post";
    o.points = 0;
    CHECK_THROWS_AS(run(o, {{0, 1}}, "ln_final.hook_out"), plateau::usage_error);
    o.points = 3;
    o.setup.positions.at = hooks::positions::one(-7);
    CHECK_THROWS_WITH(run(o, {{0, 1}}, "ln_final.hook_out"), contains("too few"));
}

TEST_CASE("an activation that is not finite names layer and pair", "[engine][patched_rows][errors]") {
    auto const model = random_model<float>();
    auto const prompts = tiny::random_prompts(5, {8, 6}, 37);
    engine::point_writer<float> const poison = [](index pair, index point, auto, auto, auto out) {
        if (pair == 1 && point == 2) out(0, 0) = std::numeric_limits<float>::quiet_NaN();
    };
    readings<float> ignored;
    engine::patched_rows<float> rows{model(1).engine(), prompts, 3, {}};
    CHECK_THROWS_WITH(rows.run({{0, 1}, {1, 0}}, poison, hooks::capture<float>("ln_final.hook_out", keep(ignored))),
                      contains("after layer 1") && contains("pair 1"));
}

TEST_CASE("a clean prompt that is not finite names layer and pair too", "[engine][patched_rows][errors]") {
    auto const model = plateau::testing::changed_model<float>(7, [](auto& transformer) {
        // token 36 alone overflows
        auto embedding = plateau::tensor::buffer<float, 2>({37, 24});
        for (index n = 0; n < 37; ++n) {
            for (index k = 0; k < 24; ++k) {
                embedding(n, k) = n == 36 ? std::numeric_limits<float>::infinity() : (*transformer.embedding)(n, k);
            }
        }
        transformer.embedding = std::make_shared<plateau::backend::linear_weight<float> const>(std::move(embedding));
    });
    auto const prompts = tiny::random_prompts(5, {8, 6, 3}, 37);
    auto finite = prompts;
    for (auto& prompt : finite) std::replace(prompt.begin(), prompt.end(), plateau::token_id{36}, plateau::token_id{1});
    auto broken = finite;
    broken[2][0] = 36;
    sweep_options o;
    o.points = 3;
    CHECK_NOTHROW(by_engine<float>(model, finite, {{0, 1}, {1, 2}}, o, {"ln_final.hook_out"}));
    CHECK_THROWS_WITH(by_engine<float>(model, broken, {{0, 1}, {1, 2}}, o, {"ln_final.hook_out"}),
                      contains("after layer 0, prompt 2") && contains("pair 1"));
}

}  // namespace
