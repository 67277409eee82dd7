#include <plateau/engine/model.hpp>

#include <array>
#include <cmath>
#include <thread>

#include <plateau/engine/generate.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/first_difference.hpp"
#include "support/own_block.hpp"
#include "support/sweeps.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace sweeps;
using plateau::index;
using plateau::token_id;
using plateau::testing::contains;
using plateau::testing::gated_by_itself;
using plateau::testing::squared;
namespace backend = plateau::backend;
namespace tensor = plateau::tensor;

std::vector<token_id> const prompt{5, 9, 2, 30, 7, 11, 3};

/// Blocks of one's own, and standard ones that compute the same, on any number of threads.
template <class T>
threaded_model<T> own_model() {
    return threaded_model<T>{[](int threads) {
        return plateau::model<T>{backend::cpu_context{threads}, squared(gated_by_itself<T>(threads))};
    }};
}
template <class T>
threaded_model<T> standard_model() {
    return threaded_model<T>{[](int threads) {
        return plateau::model<T>{std::make_shared<backend::cpu_context const>(threads), gated_by_itself<T>(threads)};
    }};
}

template <class T>
std::vector<T> values(tensor::buffer<T, 2> const& matrix) {
    return {matrix.flat().begin(), matrix.flat().end()};
}

static_assert(plateau::models::Transformer<plateau::testing::own_transformer<float>, backend::cpu_context, float>);
static_assert(!plateau::models::Transformer<plateau::testing::own_transformer<float>, backend::cpu_context, double>);
static_assert(!plateau::models::Transformer<int, backend::cpu_context, float>);

TEMPLATE_TEST_CASE("a block of one's own computes what an equivalent standard one does", "[engine][model]", float,
                   double) {
    auto const own = own_model<TestType>()(1), standard = standard_model<TestType>()(1);
    CHECK(values(own.logits(prompt)) == values(standard.logits(prompt)));
    CHECK(own.layers() == 3);
    CHECK(own.width() == 24);
    CHECK(own.vocabulary() == 37);
    CHECK(own.context_length() == 64);
    CHECK(own.computer().backend == "cpu");
    // and not what another block does
    CHECK(values(own.logits(prompt)) != values(random_model<TestType>(11)(1).logits(prompt)));
    // token by token too
    engine::generate_options const options{.max_new_tokens = 20};
    CHECK(engine::generate(own.engine(), {prompt}, options)[0].tokens ==
          engine::generate(standard.engine(), {prompt}, options)[0].tokens);
}

TEST_CASE("hook points of a part of one's own fire, in order, and what they change counts", "[engine][model]") {
    auto const model = own_model<double>()(2);
    std::vector<std::string> fired, listed;
    model.run({prompt},
              hooks::capture<double>("*", [&](hooks::rows_at<double>& here) { fired.push_back(here.at.name()); }));
    for (auto const& site : hooks::matching_sites(model.sites(), "*")) listed.push_back(site.name());
    CHECK(fired == listed);
    CHECK(std::count(fired.begin(), fired.end(), "blocks.1.mlp.hook_squared") == 1);
    CHECK(std::count(fired.begin(), fired.end(), "blocks.1.mlp.hook_post") == 0);

    auto const [logits, cache] = model.run_with_cache(prompt);
    auto const pre = cache["blocks.1.mlp.hook_pre"].values(), post = cache["blocks.1.mlp.hook_squared"].values();
    REQUIRE(post.size() == 7 * 40);
    for (std::size_t i = 0; i < post.size(); ++i) CHECK(post[i] == (pre[i] > 0 ? pre[i] * pre[i] : 0));

    auto const silence = hooks::patch<double>("blocks.1.mlp.hook_squared", [](hooks::rows_at<double>& here) {
        auto const rows = here.change();
        for (index r = 0; r < here.count(); ++r) std::fill_n(rows[r].data(), rows.extent(2), 0.0);
    });
    auto const silenced = model.run_with_cache(prompt, {"blocks.1.hook_mlp_out", "*.hook_resid_*"}, silence);
    for (double const x : silenced.cache["blocks.1.hook_mlp_out"].values()) CHECK(x == 0);
    CHECK(silenced.cache["blocks.1.hook_resid_mid"].values() == silenced.cache["blocks.1.hook_resid_post"].values());
    CHECK(values(silenced.logits) != values(logits));
}

TEMPLATE_TEST_CASE("a sweep over a block of one's own has the bits of the published way", "[engine][model]", float,
                   double) {
    using T = TestType;
    auto const model = own_model<T>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0}, {1, 3, 3}};
    std::vector<std::string> const reads{"blocks.2.mlp.hook_squared", "blocks.2.hook_mlp_out",
                                         "blocks.2.hook_resid_post", "unembed.hook_out"};
    for (std::string const site : {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.mlp.hook_pre",
                                   "blocks.1.mlp.hook_squared", "blocks.1.attn.hook_z"}) {
        for (auto const at : {hooks::positions::last(), hooks::positions{-3, -1}}) {
            CAPTURE(site, at.first);
            sweep_options o;
            o.points = 4;
            o.setup.write = site;
            o.setup.positions.at = at;
            auto const expected = published_way<T>(model, prompts, pairs, o, reads);
            CHECK(plateau::testing::first_difference(by_engine<T>(model, prompts, pairs, o, reads, 2), expected) == "");
            o.travel = {.block_rows = 7, .prefix_bytes = 1, .max_inline_prefix_rows = 0};
            CHECK(plateau::testing::first_difference(by_engine<T>(model, prompts, pairs, o, reads, 2), expected) == "");
        }
    }
    CHECK(plateau::sweep::interpolate(model(2), prompts, pairs, 5).distances(0, 4) ==
          plateau::sweep::interpolate(standard_model<T>()(1), prompts, pairs, 5).distances(0, 4));
}

TEMPLATE_TEST_CASE("logits are those that a hook sees, of every position, cap included", "[engine][model]", float,
                   double) {
    using T = TestType;
    for (std::string const name : {"llama_gqa", "gemma2", "phi"}) {
        CAPTURE(name);
        auto const model = golden_model<T>(name)(2);
        std::vector<T> seen;
        auto const site = name == "gemma2" ? "hook_logits" : "unembed.hook_out";
        model.run({prompt}, hooks::capture<T>(site, [&](auto const&, auto const&, auto rows) {
                      seen.assign(rows.data(), rows.data() + rows.size());
                  }));
        auto const logits = model.logits(prompt);
        CHECK(logits.extents() == std::array<index, 2>{7, model.vocabulary()});
        CHECK(values(logits) == seen);
        // with hooks at work
        auto const twice = hooks::patch<T>("blocks.0.hook_mlp_out", [](hooks::rows_at<T>& here) {
            auto const rows = here.change();
            for (index r = 0; r < here.count(); ++r) {
                for (T& x : rows[r].flat()) x *= 2;
            }
        });
        CHECK(values(model.logits(prompt, twice)) != seen);
    }
}

TEST_CASE("a cache has the arrays that the published implementation has, in its shapes", "[engine][model][golden]") {
    for (std::string const name : {"gpt2", "llama_gqa", "qwen3", "gemma2", "phi_qk_layernorm"}) {
        auto const model = golden_model<double>(name)(1);
        auto const prompts = golden::prompts(golden::models_folder() / name / "tokens.npy");
        auto const expected = golden::expected(name);
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            auto const [logits, cache] = model.run_with_cache(prompts[i]);
            for (auto const& [site, reference] : expected) {
                CAPTURE(name, i, site);
                auto shape = reference.shape;
                shape[0] = 1;
                auto const& got = cache[site];
                CHECK(got.shape() == std::vector<index>(shape.begin(), shape.end()));
                auto const first = i * got.values().size();
                double difference = 0, largest = 0;
                for (std::size_t k = 0; k < got.values().size(); ++k) {
                    double const want = reference.values.at(first + k), have = got.values()[k];
                    if (std::isinf(want) && want == have) continue;
                    difference = std::max(difference, std::isnan(have) ? INFINITY : std::abs(want - have));
                    largest = std::max(largest, std::abs(want));
                }
                CHECK(difference <= 1e-10 * largest);
            }
        }
    }
}

TEST_CASE("arrays of a cache are found by name, and viewed by their axes", "[engine][model]") {
    auto const model = golden_model<double>("qwen3")(1);
    auto const [logits, cache] = model.run_with_cache(prompt);
    auto const shape = [&](std::string const& site) { return cache[site].shape(); };
    auto const& q = hooks::find_site(model.sites(), "blocks.0.attn.hook_q");
    auto const& k = hooks::find_site(model.sites(), "blocks.0.attn.hook_k");
    using list = std::vector<index>;
    CHECK(shape("blocks.0.hook_resid_pre") == list{1, 7, model.width()});
    CHECK(shape("blocks.0.ln1.hook_scale") == list{1, 7, 1});
    CHECK(shape("blocks.0.attn.hook_q") == list{1, 7, q.heads, q.width});
    CHECK(shape("blocks.0.attn.hook_k") == list{1, 7, k.heads, k.width});
    CHECK(shape("blocks.0.attn.q_norm.hook_scale") == list{1, q.heads, 7, 1});
    CHECK(shape("blocks.0.attn.hook_attn_scores") == list{1, q.heads, 7, 7});
    CHECK(shape("unembed.hook_out") == list{1, 7, model.vocabulary()});

    tensor::view<double const, 4> const pattern = cache["blocks.0.attn.hook_pattern"];
    for (index h = 0; h < q.heads; ++h) {
        for (index t = 0; t < 7; ++t) {
            double sum = 0;
            for (index s = 0; s < 7; ++s) {
                if (s > t) CHECK(pattern(0, h, t, s) == 0);
                sum += pattern(0, h, t, s);
            }
            CHECK_THAT(sum, plateau::testing::WithinAbs(1, 1e-12));
        }
    }
    tensor::view<double const, 3> const out = cache["unembed.hook_out"];
    CHECK(plateau::testing::same_bits(out.data(), logits.data(), logits.size()));

    using matrix = tensor::view<double const, 2>;
    CHECK_THROWS_AS(static_cast<matrix>(cache["blocks.0.attn.hook_pattern"]), plateau::shape_error);
    CHECK_THROWS_WITH(static_cast<matrix>(cache["blocks.0.attn.hook_pattern"]), contains("4 axes"));
    CHECK_THROWS_AS(cache["blocks.0.attn.hook_patern"], plateau::site_error);
    CHECK_THROWS_WITH(cache["blocks.0.attn.hook_patern"], contains("blocks.0.attn.hook_pattern"));
    // what costs much is kept where it is named
    CHECK_THROWS_WITH(cache["blocks.0.hook_q_input"], contains("nothing was kept"));
    auto const inputs = model.run_with_cache(prompt, {"blocks.0.hook_q_input", "blocks.*.hook_mlp_out"}).cache;
    CHECK(inputs["blocks.0.hook_q_input"].shape() == list{1, 7, q.heads, model.width()});
    CHECK(inputs["blocks.1.hook_mlp_out"].values() == cache["blocks.1.hook_mlp_out"].values());
    CHECK_THROWS_AS(inputs["blocks.0.hook_attn_out"], plateau::site_error);
    CHECK_THROWS_WITH(model.run_with_cache(prompt, {"*", "blocks.0.hook_resid_pots"}),
                      contains("blocks.0.hook_resid_post"));
}

TEST_CASE("a cache of several prompts holds NaN beyond their lengths", "[engine][model]") {
    auto const model = random_model<double>()(1);
    prompt_list const prompts{{5, 9, 2}, {5, 9, 2, 30, 7}};
    std::vector<std::string> const names{"blocks.1.hook_resid_post", "blocks.1.attn.hook_z",
                                         "blocks.1.attn.hook_pattern"};
    hooks::activation_cache<double> cache{hooks::selected_sites(model.sites(), names), {3, 5}};
    model.run(prompts, cache.fills());
    tensor::view<double const, 3> const stream = cache[names[0]];
    tensor::view<double const, 4> const z = cache[names[1]], pattern = cache[names[2]];
    CHECK(stream.extents() == std::array<index, 3>{2, 5, 24});
    CHECK(z.extents() == std::array<index, 4>{2, 5, 4, 6});
    CHECK(pattern.extents() == std::array<index, 4>{2, 4, 5, 5});
    for (std::size_t n = 0; n < 2; ++n) {
        auto const i = static_cast<index>(n), length = static_cast<index>(prompts[n].size());
        auto const alone = model.run_with_cache(prompts[n], names).cache;
        tensor::view<double const, 3> const own_stream = alone[names[0]];
        tensor::view<double const, 4> const own_z = alone[names[1]], own_pattern = alone[names[2]];
        for (index t = 0; t < 5; ++t) {
            bool const there = t < length;
            CHECK(std::isnan(stream(i, t, 7)) == !there);
            CHECK(std::isnan(z(i, t, 3, 5)) == !there);
            if (there) CHECK(stream(i, t, 7) == own_stream(0, t, 7));
            if (there) CHECK(z(i, t, 3, 5) == own_z(0, t, 3, 5));
            for (index key = 0; key < 5; ++key) {
                bool const seen = there && key < length;
                CHECK(std::isnan(pattern(i, 2, t, key)) == !seen);
                if (seen) CHECK(pattern(i, 2, t, key) == own_pattern(0, 2, t, key));
            }
        }
    }
}

TEST_CASE("one model called by several threads at once gives the same bits", "[engine][model]") {
    auto const prompts = tiny::random_prompts(5, {8, 6, 7, 30}, 37);
    std::vector<engine::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 3}};
    for (auto const& of : {own_model<float>(), random_model<float>()}) {
        plateau::model<float> const& model = of(2);
        auto const logits = values(model.logits(prompts[3]));
        auto const cached = model.run_with_cache(prompts[3]).cache["blocks.1.attn.hook_pattern"].values();
        auto const curves = plateau::sweep::interpolate(model, prompts, pairs, 40).distances;
        auto const text = engine::generate(model.engine(), {prompts[0]}, {.max_new_tokens = 12})[0].tokens;
        std::array<bool, 6> same{};
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < same.size(); ++i) {
            threads.emplace_back([&, i] {
                bool good = true;
                for (int round = 0; round < 3; ++round) {
                    good = good && values(model.logits(prompts[3])) == logits;
                    good =
                        good && model.run_with_cache(prompts[3]).cache["blocks.1.attn.hook_pattern"].values() == cached;
                    auto const again = plateau::sweep::interpolate(model, prompts, pairs, 40).distances;
                    good = good && plateau::testing::same_bits(again.data(), curves.data(), curves.size());
                    good = good &&
                           engine::generate(model.engine(), {prompts[0]}, {.max_new_tokens = 12})[0].tokens == text;
                }
                same[i] = good;
            });
        }
        for (auto& thread : threads) thread.join();
        for (bool const good : same) CHECK(good);
    }
}

TEST_CASE("a model is cheap to copy, and lives as long as a copy of it", "[engine][model]") {
    auto model = std::make_unique<plateau::model<float>>(backend::cpu_context{1}, squared(gated_by_itself<float>()));
    auto const copy = *model;
    CHECK(&copy.engine() == &model->engine());
    auto const logits = values(model->logits(prompt));
    model.reset();
    CHECK(values(copy.logits(prompt)) == logits);
    CHECK(copy.tokenizer == nullptr);
    CHECK_THROWS_AS(copy.require_tokenizer(), plateau::file_error);
}

}  // namespace
