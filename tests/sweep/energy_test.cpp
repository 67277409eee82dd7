// Energies of attention and of MLPs along paths: beside a model's own keys, Hopfield nets with known ridges, tied nets.
#include <plateau/sweep/attention_energy.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <plateau/hooks/ablate.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/head_switches.hpp>
#include <plateau/sweep/held_parts.hpp>
#include <plateau/sweep/mark_lags.hpp>
#include <plateau/sweep/mlp_energy.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/threaded_model.hpp"

namespace {

using namespace plateau;
using plateau::index;
using sweep::head_path;
using sweep::prompt_pair;
using testing::contains;
using testing::golden_model;
using testing::random_model;
using testing::WithinAbs;

prompt_list const prompts{{3, 5, 7, 11, 29, 2}, {4, 5, 8, 11, 26, 7}, {9, 9, 1, 2, 3, 30}, {1, 2, 30, 12, 8, 5}};
std::vector<prompt_pair> const pairs{{0, 1}, {2, 3}, {1, 0}, {3, 3}};

using paths_by_head = std::map<std::tuple<index, int, index>, head_path>;

template <class T>
paths_by_head paths_of(model<T> const& model, std::vector<prompt_pair> const& of,
                       sweep::attention_energy_options const& o) {
    paths_by_head all;
    std::mutex guard;
    sweep::attention_energies(model, prompts, of, o, [&](head_path&& path) {
        std::lock_guard const lock{guard};
        auto const key = std::tuple{path.pair, path.layer, path.head};
        REQUIRE(all.emplace(key, std::move(path)).second);
    });
    return all;
}

/// What one prompt's run tells of one head at its last position.
struct head_of_run {
    tensor::buffer<double, 2> keys;  ///< [T, E]
    std::vector<double> query, scores, pattern;

    head_of_run(hooks::activation_cache<double> const& cache, io::model_config const& config, int layer, index head) {
        auto const at = "blocks." + std::to_string(layer) + ".attn.";
        bool const rotated = std::any_of(cache.begin(), cache.end(),
                                         [](auto const& one) { return one->at().id == hooks::site_id::rot_q; });
        using by_head = tensor::view<double const, 4>;
        by_head const q = cache[at + (rotated ? "hook_rot_q" : "hook_q")],
                      k = cache[at + (rotated ? "hook_rot_k" : "hook_k")], s = cache[at + "hook_attn_scores"],
                      p = cache[at + "hook_pattern"];
        index const length = q.extent(1), width = q.extent(3), last = length - 1;
        keys = tensor::buffer<double, 2>({length, width});
        for (index t = 0; t < length; ++t) {
            for (index d = 0; d < width; ++d) keys(t, d) = k(0, t, head / (config.heads / config.kv_heads), d);
            scores.push_back(s(0, head, last, t));
            pattern.push_back(p(0, head, last, t));
        }
        for (index d = 0; d < width; ++d) query.push_back(q(0, last, head, d));
    }

    /// E(q) over the keys that it sees. @param own  the last one too
    double energy(std::vector<double> const& q, double beta, bool own = true) const {
        std::vector<double> now;
        double squares = 0;
        for (double const x : q) squares += x * x;
        for (index t = 0; t + (own ? 0 : 1) < keys.extent(0); ++t) {
            double sum = 0;
            for (std::size_t d = 0; d < q.size(); ++d) sum += keys(t, static_cast<index>(d)) * q[d];
            now.push_back(std::isinf(scores[static_cast<std::size_t>(t)]) ? scores[static_cast<std::size_t>(t)]
                                                                          : beta * sum);
        }
        return metrics::hopfield_energy(std::span<double const>{now}, beta, squares);
    }
};

TEST_CASE("a step down the energy of a head is the mean of keys under its pattern, in every family",
          "[sweep][energy][families]") {
    for (std::string const name :
         {"llama_gqa", "llama_bias_headdim", "gpt2", "gpt2_options", "gpt_neo", "gpt_neox", "opt", "phi",
          "phi_qk_layernorm", "phi3", "gemma", "mistral", "olmo2", "olmo_clip", "qwen2", "qwen2_window", "qwen3"}) {
        auto const model = golden_model<double>(name)(1);
        auto const [logits, cache] = model.run_with_cache(prompts[0], {"blocks.*.attn.*"});
        auto const found = paths_of(model, {{0, 0}}, {.write = "hook_embed", .steps = 2});
        for (int layer = 0; layer < model.layers(); ++layer) {
            double const beta = models::make_attention_shape<double>(model.config, layer).scale;
            for (index head = 0; head < model.config.heads; ++head) {
                CAPTURE(name, layer, head);
                head_of_run const run{cache, model.config, layer, head};
                double longest = 0, worst = 0;
                for (index t = 0; t < run.keys.extent(0); ++t) {
                    double squares = 0;
                    for (double const x : run.keys[t].flat()) squares += x * x;
                    longest = std::max(longest, std::sqrt(squares));
                }
                for (std::size_t d = 0; d < run.query.size(); ++d) {
                    double const h = 1e-4 * std::max(1.0, std::abs(run.query[d]));
                    auto const at = [&](double step) {
                        auto moved = run.query;
                        moved[d] += step;
                        return run.energy(moved, beta);
                    };
                    double const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
                    double mixed = 0;
                    for (index t = 0; t < run.keys.extent(0); ++t)
                        mixed += run.pattern[static_cast<std::size_t>(t)] * run.keys(t, static_cast<index>(d));
                    worst = std::max(worst, std::abs(run.query[d] - slope - mixed));
                }
                CHECK(worst <= 1e-8 * longest);
                auto const& path = found.at({0, layer, head});
                CHECK_THAT(path.own[0], WithinAbs(run.energy(run.query, beta), 1e-9 * (1 + std::abs(path.own[0]))));
                CHECK_THAT(path.fixed[1],
                           WithinAbs(run.energy(run.query, beta, false), 1e-9 * (1 + std::abs(path.own[0]))));
                CHECK_THAT(path.entropy[0], WithinAbs(metrics::pattern_entropy(run.pattern), 1e-9));
                CHECK(path.from_start[1] == 0);
                CHECK(path.likeliest[0] == metrics::likeliest_key(std::span<double const>{run.pattern}));
            }
        }
    }
}

TEST_CASE("along a path heads are those of runs patched there", "[sweep][energy]") {
    auto const model = golden_model<double>("llama_gqa")(2);
    auto const found = paths_of(model, pairs, {.steps = 5});
    auto const ends = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    for (index const point : {1, 3, 4}) {
        std::vector<double> x(static_cast<std::size_t>(model.width()));
        paths::linear<double>{ends[2].flat(), ends[3].flat()}(static_cast<double>(point) / 4, x);
        auto const patched =
            model.run_with_cache(prompts[2], {"blocks.*.attn.*"},
                                 hooks::set_to<double>("blocks.0.hook_resid_post", x, hooks::positions::one(5)));
        for (int layer = 1; layer < model.layers(); ++layer) {
            for (index head = 0; head < model.config.heads; ++head) {
                head_of_run const run{patched.cache, model.config, layer, head};
                auto const& path = found.at({1, layer, head});
                double const beta = models::make_attention_shape<double>(model.config, layer).scale;
                CHECK_THAT(path.own[static_cast<std::size_t>(point)], WithinAbs(run.energy(run.query, beta), 1e-9));
                CHECK_THAT(path.margin[static_cast<std::size_t>(point)],
                           WithinAbs(metrics::top_two_margin(std::span<double const>{run.scores}), 1e-9));
            }
        }
    }
}

TEST_CASE("a Hopfield net of two patterns has its ridge where the analysis says", "[sweep][energy][toy]") {
    // q = (1 − α) a + α b over orthogonal keys a, b: with |a| = |b| the ridge is at ½, and its height is known
    index const steps = 101;
    double const beta = GENERATE(2.0, 5.0), length = 1.5;
    tensor::buffer<double, 2> queries({steps, 2}), scores({steps, 3});
    double const keys[3][2] = {{length, 0}, {0, length}, {-9, -9}};
    for (index i = 0; i < steps; ++i) {
        double const t = static_cast<double>(i) / (steps - 1);
        queries(i, 0) = (1 - t) * length, queries(i, 1) = t * length;
        for (index k = 0; k < 3; ++k) scores(i, k) = beta * (keys[k][0] * queries(i, 0) + keys[k][1] * queries(i, 1));
    }
    auto path = sweep::detail::head_path_of(scores, queries, beta);
    auto const ridge = metrics::ridge_of(path.fixed);
    CHECK_THAT(ridge.place, WithinAbs(0.5, 1e-9));
    double const squares = length * length;
    double const at_end = squares / 2 - std::log(std::exp(beta * squares) + 1) / beta;
    double const at_half = squares / 4 - (beta * squares / 2 + std::log(2)) / beta;
    CHECK_THAT(path.fixed[0], WithinAbs(at_end, 1e-12));
    CHECK_THAT(ridge.height, WithinAbs(at_half - at_end, 1e-6));
    path.pair = 0, path.layer = 0, path.head = 0;
    sweep::energy_marks marks{1, 1, 1};
    marks.take(path);
    CHECK(marks.switches()(0, 0, 0) == 1);
    for (index const mark : {index{0}, index{3}, index{4}, index{5}, sweep::switch_mark}) {
        CAPTURE(mark);
        CHECK_THAT(marks.places()(mark, 0, 0, 0), WithinAbs(0.5, mark == 5 ? 0.02 : 1e-6));
    }
}

TEST_CASE("shuffled keys keep every coordinate's values, and are others", "[sweep][energy]") {
    auto const models = random_model<double>(3);
    auto const own = paths_of(models(1), pairs, {.steps = 3});
    auto const shuffled = paths_of(models(1), pairs, {.shuffled_keys = true, .seed = 5, .steps = 3});
    auto const again = paths_of(models(3), pairs, {.shuffled_keys = true, .seed = 5, .steps = 3});
    REQUIRE(own.size() == shuffled.size());
    index others = 0;
    for (auto const& [key, path] : shuffled) {
        CHECK(path.fixed == again.at(key).fixed);
        CHECK(path.own == again.at(key).own);
        others += std::abs(path.fixed[1] - own.at(key).fixed[1]) > 1e-6;
        // the mean key is the same, so ⟨q, mean key⟩ is
        CHECK_THAT(path.centred[1] - path.fixed[1], WithinAbs(own.at(key).centred[1] - own.at(key).fixed[1], 1e-10));
    }
    CHECK(others > static_cast<index>(own.size()) / 2);
    // with a single key before the last there is nothing to shuffle
    prompt_list const two{{3, 5}, {4, 8}};
    std::vector<double> energies[2];
    for (bool const shuffle : {false, true}) {
        sweep::attention_energies(models(1), two, {{0, 1}}, {.shuffled_keys = shuffle, .steps = 3},
                                  [&](head_path const& path) { energies[shuffle].push_back(path.fixed[1]); });
    }
    for (std::size_t i = 0; i < energies[0].size(); ++i) CHECK_THAT(energies[1][i], WithinAbs(energies[0][i], 1e-12));
}

TEST_CASE("marks are the same bits for any threads", "[sweep][energy]") {
    auto const models = random_model<float>(4);
    auto const marks_by = [&](int threads) {
        sweep::energy_marks marks{4, models(1).layers(), models(1).config.heads};
        sweep::attention_energies(models(threads), prompts, pairs, {.steps = 9},
                                  [&](head_path const& path) { marks.take(path); });
        return marks;
    };
    auto const one = marks_by(1), three = marks_by(3);
    for (index i = 0; i < one.places().size(); ++i) {
        double const a = one.places().data()[i], b = three.places().data()[i];
        CHECK((a == b || (std::isnan(a) && std::isnan(b))));
    }
    CHECK(std::ranges::equal(one.switches().flat(), three.switches().flat()));
    for (index h = 0; h < one.heads(); ++h) CHECK(one.switches()(3, 2, h) == 0);  // a path of one point
}

TEST_CASE("lags are places beside jumps, medians over heads", "[sweep][energy]") {
    sweep::energy_marks marks{2, 1, 3};
    head_path path;
    path.layer = 0;
    for (index pair = 0; pair < 2; ++pair) {
        for (index head = 0; head < 3; ++head) {
            path.pair = pair, path.head = head;
            std::vector<double> const at[3] = {{0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 0, 0}};
            path.fixed = path.centred = path.own = path.entropy = path.margin = path.from_start = at[head];
            path.likeliest = head == 0   ? std::vector<index>{0, 0, 1, 1, 1}
                             : head == 1 ? std::vector<index>{0, 1, 0, 1, 1}
                                         : std::vector<index>{2, 2, 2, 2, 2};
            marks.take(path);
        }
    }
    auto const lags = sweep::lags_of(marks, {0.5, 0.25}, 0, {0});
    CHECK_THAT(lags.there[0], WithinAbs(2.0 / 3, 1e-12));
    CHECK_THAT(lags.lag[0], WithinAbs(-0.125, 1e-12));  // of −¼ and 0
    CHECK_THAT(lags.away[0], WithinAbs(0.125, 1e-12));
    CHECK_THAT(lags.chance[0], WithinAbs(0.125, 1e-12));  // of 0 and ¼
    CHECK(std::isnan(sweep::other_jump({0.5}, 0)));
    auto const without = sweep::lags_of(marks, {0.5, std::nan("")}, 0, {0});
    CHECK(std::isnan(without.there[1]));
    CHECK(std::isnan(without.lag[1]));
    sweep::pair_design design;
    design.pairs = {{0, 1}, {2, 3}};
    auto const found = sweep::head_switches_of(design, marks, {0.5, 0.25}, {0}, {99, 1});
    CHECK(found.csv ==
          "block,head,never,once,repeatedly,rho,p\n0,0,0,2,0,nan,nan\n0,1,0,0,2,nan,nan\n0,2,2,0,0,nan,nan\n");
    CHECK_THAT(found.shares[0], WithinAbs(1.0 / 3, 1e-12));
    CHECK(found.best.empty());
}

TEST_CASE("a head whose switch follows the jump is found among others", "[sweep][energy]") {
    index const count = 40;
    sweep::energy_marks marks{count, 1, 4};
    counter_rng rng{9};
    std::vector<double> jumps;
    sweep::pair_design design;
    for (index pair = 0; pair < count; ++pair) {
        jumps.push_back(rng.uniform());
        design.pairs.push_back({2 * pair, 2 * pair + 1});
        for (index head = 0; head < 4; ++head) {
            head_path path;
            path.pair = pair, path.layer = 0, path.head = head;
            double const place = head == 2 ? jumps.back() + 0.1 * rng.uniform() : 1.1 * rng.uniform();
            for (int i = 0; i <= 60; ++i) path.likeliest.push_back(i < 1 + 50 * place ? 0 : 1);
            path.fixed = path.centred = path.own = path.entropy = path.from_start = std::vector<double>(61);
            path.margin = std::vector<double>(61, 1.0);
            marks.take(path);
        }
    }
    auto const found = sweep::head_switches_of(design, marks, jumps, {0}, {499, 1});
    CHECK(found.best == "0.2");
    CHECK(found.rho > 0.9);
    CHECK(found.p == 0.002);
    design.shared = sweep::pair_design::dependence::chain;
    CHECK(std::isnan(sweep::head_switches_of(design, marks, jumps, {0}, {99, 1}).p));
}

/// A Llama without norms, its MLPs plain and tied: out = inᵀ.
model<double> tied_model(activation act) {
    testing::scratch_dir const folder;
    tiny::checkpoint weights{31, 0.3F};
    for (index l = 0; l < weights.layers; ++l) {
        auto const at = "model.layers." + std::to_string(l) + ".mlp.";
        auto const& in = weights.tensors.at(at + "up_proj.weight").values;
        auto& out = weights.tensors.at(at + "down_proj.weight").values;
        for (index f = 0; f < weights.d_mlp; ++f) {
            for (index d = 0; d < weights.d_model; ++d)
                out[static_cast<std::size_t>(d * weights.d_mlp + f)] =
                    in[static_cast<std::size_t>(f * weights.d_model + d)];
        }
    }
    weights.write(folder.path());
    auto const ctx = std::make_shared<backend::cpu_context const>(1);
    auto opened = models::open<double>(folder.path());
    auto transformer = models::assemble<backend::cpu_context, double>(*ctx, opened.config, *opened.weights);
    for (auto& block : transformer.blocks) {
        block.mlp.before.reset();
        block.mlp.part.gated = false;
        block.mlp.part.act = act;
    }
    models::model_texts texts;
    texts.config = opened.config;
    texts.config.act = act;
    return model<double>{ctx, std::move(transformer), std::move(texts)};
}

TEST_CASE("of a tied MLP the slope of its energy is its output", "[sweep][energy][toy]") {
    auto const act = GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu);
    auto const model = tied_model(act);
    index const width = model.width();
    double const h = 1e-3;
    std::vector<double> x = testing::random_vector<double>(width, 8);
    tensor::buffer<double, 3> energies({1, model.layers(), 4 * width + 1});
    tensor::buffer<double, 2> outputs({4 * width + 1, width});
    engine::point_writer<double> const write = [&](index, index point, auto, auto, tensor::view<double, 2> out) {
        std::copy(x.begin(), x.end(), out[0].data());
        if (point == 0) return;
        double const steps[4] = {1, -1, 2, -2};
        out(0, (point - 1) / 4) += steps[(point - 1) % 4] * h;
    };
    auto const keep = engine::each_read_out<double>("blocks.1.hook_mlp_out", [&](engine::read_out<double> const& r) {
        std::copy(r.value.begin(), r.value.end(), outputs[r.point].data());
    });
    engine::patched_rows<double>{model.engine(), prompts, 4 * width + 1, {.write = "blocks.1.hook_resid_mid"}}.run(
        {{0, 1}}, write, keep | sweep::read_mlp_energies(model, "blocks.1.hook_resid_mid", energies.view()));
    for (index d = 0; d < width; ++d) {
        auto const at = [&](index k) { return energies(0, 1, 1 + 4 * d + k); };
        double const slope = (8 * (at(0) - at(1)) - (at(2) - at(3))) / (12 * h);
        CAPTURE(d);
        // differences of fourth order, but of the first at the kink of a relu
        CHECK_THAT(-slope, WithinAbs(outputs(0, d), act == activation::relu ? 5e-3 : 1e-8));
    }
}

TEST_CASE("a part without which any pair's stream is not finite has no numbers", "[sweep][energy]") {
    std::vector<plateau::tensor::buffer<double, 2>> distances;
    for (int k = 0; k < 9; ++k) {
        auto& one = distances.emplace_back(std::array<index, 2>{2, 3});
        for (index i = 0; i < one.size(); ++i) one.data()[i] = static_cast<double>(i % 3 * (1 + i / 3));
    }
    distances[3](1, 2) = std::nan("");
    std::fill_n(distances[4].data(), 6, 0.0);  // nothing moves any more
    auto const held = sweep::held_curves_of(distances, 0);
    REQUIRE(held.size() == 9);
    CHECK((held[3].part == "attention outputs" && held[3].at == "A" && held[4].at == "mean"));
    for (std::size_t k = 0; k < 9; ++k) {
        CAPTURE(k);
        for (std::size_t p = 0; p < 2; ++p) {
            CHECK(std::isnan(held[k].whole[p]) == (k == 3 || k == 4));
            CHECK(std::isnan(held[k].curves.width[p]) == (k == 3 || k == 4));
        }
    }
    std::fill_n(distances[0].data(), 6, 0.0);
    CHECK_THROWS_AS(sweep::held_curves_of(distances, 0), plateau::numeric_error);
}

TEST_CASE("MLPs held turn a net without attention into a line; nothing held changes nothing", "[sweep][energy]") {
    auto const model = random_model<double>(12)(2);
    sweep::sweep_points<double> const lines{21, sweep::straight_lines<double>(21), {}};
    auto const held = sweep::hold_parts(model, prompts, {{0, 1}, {2, 3}}, lines, 0);
    REQUIRE(held.size() == 9);
    CHECK(held[0].part == "nothing");
    auto const plain = sweep::interpolate(model, prompts, {{0, 1}, {2, 3}}, 21);
    CHECK(held[0].whole[0] == plain[0].back());
    CHECK(held[0].whole[1] == plain[1].back());
    // both parts that move anything held: what is left is the line itself
    auto const along = sweep::path_points<double>{model, prompts, "linear", "blocks.0.hook_resid_post", 21};
    auto const frozen =
        sweep::freeze(model, prompts, {{0, 1}, {2, 3}}, {21, along.points, {.read = "blocks.2.hook_resid_post"}},
                      {{"blocks.*.hook_attn_out"}, {"blocks.*.hook_mlp_out"}});
    auto const line =
        sweep::interpolate(model, prompts, {{0, 1}, {2, 3}}, 21, {.read = "blocks.2.hook_resid_post"}, frozen);
    for (index i = 0; i < 21; ++i)
        CHECK_THAT(line[0][static_cast<std::size_t>(i)] / line[0].back(), WithinAbs(i / 20.0, 1e-12));
    for (auto const& one : held) CHECK(one.whole.size() == 2);
}

TEST_CASE("what has no such energy is refused", "[sweep][energy][errors]") {
    auto const nothing = [](head_path const&) {};
    auto const capped = golden_model<float>("gemma2")(1);
    CHECK_THROWS_WITH(sweep::attention_energies(capped, prompts, pairs, {}, nothing), contains("capped"));
    auto const model = random_model<float>(2)(1);
    CHECK_THROWS_WITH(sweep::attention_energies(model, prompts, pairs, {.write = "blocks.2.hook_resid_mid"}, nothing),
                      contains("write earlier"));
    CHECK(sweep::attentions_behind(model.sites(), "blocks.1.hook_resid_pre").size() == 2);
    CHECK(sweep::attentions_behind(model.sites(), "blocks.1.hook_resid_mid").size() == 1);
    CHECK(sweep::attentions_behind(model.sites(), "hook_embed").size() == 3);
    auto const ctx = std::make_shared<backend::cpu_context const>(1);
    testing::scratch_dir const folder;
    tiny::checkpoint{1}.write(folder.path());
    auto const opened = models::open<float>(folder.path());
    plateau::model<float> const own{
        ctx, models::assemble<backend::cpu_context, float>(*ctx, opened.config, *opened.weights)};
    CHECK_THROWS_WITH(sweep::attention_energies(own, prompts, pairs, {}, nothing), contains("configuration"));
    tensor::buffer<double, 3> energies({4, 3, 50});
    CHECK_THROWS_WITH(sweep::read_mlp_energies(own, "blocks.0.hook_resid_post", energies.view()),
                      contains("configuration"));
}

}  // namespace
