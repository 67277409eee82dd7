// The layers, the engine and what is built on them, with their rows on the device: beside the CPU's.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include <plateau/engine/generate.hpp>
#include <plateau/engine/load.hpp>
#include <plateau/engine/read/answer_logits.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/engine/read/sign_codes.hpp>
#include <plateau/engine/read/step_lengths.hpp>
#include <plateau/engine/read/token_losses.hpp>
#include <plateau/hooks/ablate.hpp>
#include <plateau/hooks/steer.hpp>
#include <plateau/sweep/activation_patching.hpp>
#include <plateau/sweep/freeze.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "backend/cuda/on_device.hpp"
#include "support/first_difference.hpp"
#include "support/golden.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

#if PLATEAU_CUDA_ON_CPU
#include <cuda_runtime.h>
#endif

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using cuda = backend::cuda_context;

/// Values of every row of some sites, by (site, item, point, position); those of repeated rows have to be the same.
template <class T>
using readings = std::map<std::tuple<std::string, index, index, index>, std::vector<T>>;

template <class T>
hooks::hook_set<T> keep(std::string const& pattern, readings<T>& into) {
    return hooks::capture<T>(pattern,
                             [&into](hooks::site const& at, hooks::where const& w, tensor::view<T const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& id = w.rows[r];
            auto values = hooks::detail::row_values<T>(at, id, rows[static_cast<index>(r)]);
            auto const key = std::tuple{at.name(), id.item, id.point, id.position};
            if (id.reference_copy) CHECK(into.at(key) == values);
            into[key] = std::move(values);
        }
    });
}

/// The largest difference of two readings of the same rows, for each site as a share of the largest value there.
template <class T>
double largest_difference(readings<T> const& a, readings<T> const& b) {
    REQUIRE(a.size() == b.size());
    std::map<std::string, std::array<double, 2>> sites;  // difference, value
    for (auto one = a.begin(), other = b.begin(); one != a.end(); ++one, ++other) {
        REQUIRE(one->first == other->first);
        REQUIRE(one->second.size() == other->second.size());
        auto& [difference, value] = sites[std::get<0>(one->first)];
        for (std::size_t i = 0; i < one->second.size(); ++i) {
            double const x = static_cast<double>(one->second[i]), y = static_cast<double>(other->second[i]);
            if (std::isinf(x) && x == y) continue;
            REQUIRE(std::isfinite(x));
            difference = std::max(difference, std::abs(x - y));
            value = std::max(value, std::abs(y));
        }
    }
    double worst = 0;
    for (auto const& [site, found] : sites) worst = std::max(worst, found[1] > 0 ? found[0] / found[1] : found[0]);
    return worst;
}

template <class T>
inline constexpr double engine_tolerance = std::is_same_v<T, double> ? 1e-12 : 1e-5;

std::shared_ptr<backend::cpu_context const> const processor = std::make_shared<backend::cpu_context>(on_cpu);

/// A device whose blocks have so many rows.
std::shared_ptr<cuda const> device(index rows = 16384) {
    return std::make_shared<cuda>(backend::float_products::fp32, rows);
}

template <class T, class Context>
model<T> loaded(std::filesystem::path const& folder, std::shared_ptr<Context const> ctx, bool bf16 = false) {
    auto const opened = models::open<T>(folder);
    models::model_texts texts;
    texts.config = opened.config;
    return assemble<T>(std::move(ctx), std::move(texts), *opened.weights, bf16);
}

template <class T, class Context>
model<T> tiny_model(std::shared_ptr<Context const> ctx, std::uint64_t seed = 7) {
    scratch_dir const folder;
    tiny::checkpoint{seed}.write(folder.path());
    return loaded<T>(folder.path(), std::move(ctx));
}

std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {3, 0}, {.from = 0, .to = 2, .context = 2}};
prompt_list const prompts = tiny::random_prompts(3, {6, 9, 5, 7}, 37);

template <class T>
sweep::point_writer<T> by_the_host(index steps) {
    auto const lines = sweep::straight_lines<T>(steps);
    return [lines](index pair, index point, auto a, auto b, auto out) { lines(pair, point, a, b, out); };
}

TEMPLATE_TEST_CASE("every site of every family is the CPU's on the device - models", "[cuda][engine]", float, double) {
    auto const ctx = device();
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const folder = golden::models_folder() / name;
        auto const texts = golden::prompts(folder / "tokens.npy");
        readings<TestType> found, cpu;
        loaded<TestType>(folder, ctx).run(texts, keep<TestType>("*", found));
        loaded<TestType>(folder, processor).run(texts, keep<TestType>("*", cpu));
        CHECK(largest_difference(found, cpu) <= 10 * engine_tolerance<TestType>);
        // what nobody looks at takes faster ways
        readings<TestType> last, expected;
        loaded<TestType>(folder, ctx).run(texts, keep<TestType>("unembed.hook_out", last));
        for (auto const& [key, values] : cpu) {
            if (std::get<0>(key) == "unembed.hook_out") expected[key] = values;
        }
        CHECK(largest_difference(last, expected) <= 10 * engine_tolerance<TestType>);
    }
}

TEST_CASE("weights in bfloat16 give what they give on the CPU", "[cuda][engine]") {
    auto const folder = golden::models_folder() / "llama_gqa";
    auto const texts = golden::prompts(folder / "tokens.npy");
    readings<float> found, cpu, full;
    loaded<float>(folder, device(), true).run(texts, keep<float>("unembed.hook_out", found));
    loaded<float>(folder, processor, true).run(texts, keep<float>("unembed.hook_out", cpu));
    loaded<float>(folder, processor).run(texts, keep<float>("unembed.hook_out", full));
    CHECK(largest_difference(found, cpu) < 0.01);  // a sum in another order may round to another bfloat16
    CHECK(largest_difference(found, full) > 1e-4);
}

template <class TestType>
void require_full_passes(std::vector<std::string> const& sites, std::vector<std::pair<index, index>> const& positions) {
    constexpr index points = 3;
    auto const model = tiny_model<TestType>(device());
    for (auto const& site : sites) {
        for (auto const& [first, count] : positions) {
            CAPTURE(site, first, count);
            sweep::setup where{.write = site};
            where.positions.at = {first, first + count};
            readings<TestType> rows, clean;
            auto const lines = sweep::straight_lines<TestType>(points);
            engine::patched_rows<TestType>{model.engine(), prompts, points, where}.run(
                pairs, lines, keep<TestType>("ln_final.hook_out", rows));
            model.run(prompts, keep<TestType>(site, clean));
            for (std::size_t p = 0; p < pairs.size(); ++p) {
                auto const prompt = [&](index i) -> auto const& { return prompts[static_cast<std::size_t>(i)]; };
                auto const& pair = pairs[p];
                auto const span =
                    engine::resolve_rows(where.positions, prompt(pair.context), prompt(pair.other()), pair);
                for (index point = 0; point < points; ++point) {
                    readings<TestType> one;
                    auto const patch = hooks::patch<TestType>(
                        site, [&](auto const&, hooks::where const& w, tensor::view<TestType, 3> values) {
                            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                index const j = w.rows[r].position - span.first;
                                if (j < 0 || j >= span.count) continue;
                                auto const width = values.extent(1) * values.extent(2);
                                auto const end = [&](index i) -> tensor::view<TestType const, 2> {
                                    return {clean.at({site, i, 0, span.of(i, pair) + j}).data(), {1, width}};
                                };
                                lines(static_cast<index>(p), point, end(pair.from), end(pair.to),
                                      {values[static_cast<index>(r)].data(), {1, width}});
                            }
                        });
                    model.run({prompt(pair.context)}, patch | keep<TestType>("ln_final.hook_out", one));
                    for (auto const& [key, values] : one) {
                        if (std::get<3>(key) < span.start) continue;
                        CHECK(
                            (rows.at({"ln_final.hook_out", static_cast<index>(p), point, std::get<3>(key)}) == values));
                    }
                }
            }
        }
    }
}

TEMPLATE_TEST_CASE("shared-prefix rows on the device have the bits of full forward passes there", "[cuda][engine]",
                   float, double) {
    require_full_passes<TestType>({"blocks.0.hook_resid_post"}, {{-1, 1}});
}

TEMPLATE_TEST_CASE("so they have at other sites and positions", "[cuda][engine][full]", float, double) {
    require_full_passes<TestType>(
        {"blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_mid", "blocks.1.attn.hook_v"},
        {{-1, 1}, {-3, 2}, {0, 1}});
}

TEST_CASE("a row's bits do not depend on its block, on how points are made, or on how distances are read",
          "[cuda][engine]") {
    constexpr index steps = 9;
    std::vector<readings<float>> all;
    std::vector<std::vector<double>> distances;
    for (index const rows : {16384, 12, 3}) {
        for (index const inline_rows : {0, 48}) {
            for (bool const lines : {true, false}) {
                auto const model = tiny_model<float>(device(rows));
                tensor::buffer<double, 2> on_device({4, steps}), by_the_reader({4, steps});
                auto const read = engine::each_read_out<float>("ln_final.hook_out", [&](auto const& r) {
                    by_the_reader(r.pair, r.point) = metrics::l2_distance<float>(r.reference, r.value);
                });
                engine::patched_rows<float>{model.engine(), prompts, steps, {}, {.max_inline_prefix_rows = inline_rows}}
                    .run(pairs, lines ? sweep::straight_lines<float>(steps) : by_the_host<float>(steps),
                         keep<float>("blocks.*.hook_resid_post", all.emplace_back()) |
                             engine::read_distances<float>("ln_final.hook_out", on_device) | read);
                for (index i = 0; i < on_device.size(); ++i) {
                    CHECK_THAT(on_device.data()[i], WithinRel(by_the_reader.data()[i], sum_tolerance<double>(24, 1)));
                }
                distances.emplace_back(on_device.flat().begin(), on_device.flat().end());
            }
        }
    }
    for (std::size_t i = 1; i < all.size(); ++i) {
        CHECK(plateau::testing::first_difference(all[i], all[0]) == "");
        CHECK(distances[i] == distances[0]);
    }
}

TEST_CASE("sign codes and lengths of steps are formed where the rows are", "[cuda][engine]") {
    constexpr index steps = 9;
    auto const model = tiny_model<double>(device());
    tensor::buffer<double, 2> lengths({4, steps - 1});
    readings<double> values;
    std::map<index, std::vector<std::vector<std::uint64_t>>> codes;  // by pair
    std::mutex guard;
    std::string const site = "blocks.1.mlp.hook_pre";
    auto const take = [&](index pair, tensor::view<std::uint64_t const, 2> path) {
        std::lock_guard const lock{guard};
        for (index i = 0; i < path.extent(0); ++i)
            codes[pair].emplace_back(path[i].data(), path[i].data() + path.extent(1));
    };
    engine::patched_rows<double>{model.engine(), prompts, steps, {}}.run(
        pairs, sweep::straight_lines<double>(steps),
        keep<double>(site, values) | engine::read_sign_codes<double>(site, take) |
            engine::read_step_lengths<double>(site, lengths));
    REQUIRE(codes.size() == 4);
    for (index p = 0; p < 4; ++p) {
        auto const position =
            static_cast<index>(prompts[static_cast<std::size_t>(pairs[static_cast<std::size_t>(p)].context)].size()) -
            1;
        std::vector<double> before;
        for (index i = 0; i < steps; ++i) {
            auto const& z = values.at({site, p, i, position});
            auto const& code = codes[p].at(static_cast<std::size_t>(i));
            double squares = 0;
            for (std::size_t j = 0; j < z.size(); ++j) {
                CHECK((code[j / 64] >> (j % 64) & 1) == (z[j] > 0));
                if (i > 0) squares += (z[j] - before[j]) * (z[j] - before[j]);
            }
            if (i > 0) CHECK_THAT(lengths(p, i - 1), WithinAbs(std::sqrt(squares), 1e-12 * (1 + std::sqrt(squares))));
            before = z;
        }
    }
}

TEMPLATE_TEST_CASE("the published experiment is the CPU's", "[cuda][engine]", float, double) {
    auto const found = sweep::interpolate(tiny_model<TestType>(device()), prompts, pairs, 11);
    auto const cpu = sweep::interpolate(tiny_model<TestType>(processor), prompts, pairs, 11);
    double largest = 0;
    for (double const d : cpu.distances.flat()) largest = std::max(largest, d);
    for (index i = 0; i < cpu.distances.size(); ++i) {
        CHECK_THAT(found.distances.data()[i], WithinAbs(cpu.distances.data()[i], engine_tolerance<TestType> * largest));
    }
    for (index p = 0; p < 4; ++p) CHECK(found.distances(p, 0) == 0);
}

TEST_CASE("interventions, freezing and patching act on the device as on the CPU", "[cuda][engine]") {
    auto const run = [&](auto const& ctx) {
        auto const model = tiny_model<double>(ctx);
        sweep::sweep_points<double> const line{4, sweep::straight_lines<double>(4)};
        auto const frozen = sweep::freeze(model, prompts, pairs, line,
                                          {{"blocks.*.hook_mlp_out", sweep::frozen_at::context},
                                           {"blocks.2.attn.hook_pattern", sweep::frozen_at::path_mean}});
        auto const edited =
            hooks::add<double>("blocks.1.hook_resid_mid", std::vector<double>(24, 0.1)) |
            hooks::zero_ablate<double>("blocks.2.attn.hook_z", hooks::positions::last() & hooks::heads{1}) |
            hooks::project_out<double>("blocks.1.hook_resid_post", std::vector<double>(24, 1.0),
                                       hooks::positions{0, 2});
        auto const steered = hooks::patch<double>(
            "blocks.1.attn.hook_z",
            [](auto const&, hooks::where const& w, tensor::view<double, 3> z) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) z(static_cast<index>(r), 1, 0) += 0.5;
            },
            hooks::depends_on::position);
        readings<double> found;
        engine::patched_rows<double>{model.engine(), prompts, line.points, line.setup}.run(
            pairs, line.write,
            frozen | edited | steered | keep<double>("ln_final.hook_out", found) |
                keep<double>("blocks.2.attn.hook_result", found) | keep<double>("blocks.1.hook_q_input", found));
        std::map<std::tuple<std::string, index, index, index>, std::vector<double>> last;
        for (auto& [key, values] : found) last.emplace(key, std::move(values));
        return last;
    };
    auto const ctx = device();
    CHECK(largest_difference<double>(run(ctx), run(processor)) < 1e-12);
    auto const effects = [&](auto const& on) {
        auto const model = tiny_model<double>(on);
        auto const found = sweep::patch_activations(model, tiny::random_prompts(5, {5, 5}, 37)[0],
                                                    tiny::random_prompts(5, {5, 5}, 37)[1], {3, 4});
        std::vector<double> all{found.clean, found.corrupted};
        for (auto const* one : {&found.resid_pre, &found.attn_out, &found.mlp_out, &found.head_z})
            all.insert(all.end(), one->flat().begin(), one->flat().end());
        return all;
    };
    auto const found = effects(ctx), cpu = effects(processor);
    REQUIRE(found.size() == cpu.size());
    for (std::size_t i = 0; i < cpu.size(); ++i) CHECK_THAT(found[i], WithinAbs(cpu[i], 1e-10));
}

/// Bytes that came to the host so far; a device does not say.
#if PLATEAU_CUDA_ON_CPU
constexpr bool counts_bytes = true;
std::size_t bytes_to_host() { return cuda_on_cpu::bytes_given(); }
#else
constexpr bool counts_bytes = false;
std::size_t bytes_to_host() { return 0; }
#endif

TEMPLATE_TEST_CASE("built-in interventions act where the rows are: none comes to the host for them", "[cuda][engine]",
                   float, double) {
    auto const direction = random_buffer<TestType, 2>({3, 24}, 9);
    std::vector<TestType> const u(direction[0].data(), direction[0].data() + 24), of_head(u.begin(), u.begin() + 6);
    using hooks::positions;
    auto const some = hooks::heads{1, 3};
    std::vector<hooks::hook_set<TestType>> const sets{
        hooks::add<TestType>("blocks.1.hook_resid_mid", u) |
            hooks::scale<TestType>("blocks.1.hook_resid_post", TestType(-1.75)) |
            hooks::project_out<TestType>("blocks.1.attn.hook_z", u, positions::last() & some),  // a share for each head
        hooks::set_to<TestType>("blocks.1.attn.hook_z", of_head, some) |
            hooks::scale<TestType>("blocks.1.attn.hook_pattern", TestType(0.5), some) |
            hooks::project_out<TestType>("blocks.*.hook_resid_mid", u),
        hooks::resample_ablate<TestType>("blocks.1.attn.hook_z", direction, 5, positions{0, 3}) |
            hooks::scale<TestType>("blocks.1.attn.hook_z", TestType(0.3), positions{1, 4} & some) |
            hooks::project_out<TestType>("blocks.1.hook_resid_post", u, positions{0, 2}),
        hooks::zero_ablate<TestType>("blocks.2.hook_mlp_out", positions::last()) |
            hooks::project_out<TestType>("blocks.1.attn.hook_q", of_head) |
            hooks::scale<TestType>("blocks.1.hook_attn_out", TestType(3)) |
            hooks::project_out<TestType>("blocks.1.hook_attn_out", u) |
            hooks::add<TestType>("blocks.1.hook_attn_out", u, positions{-2, -1}),
    };
    auto const run = [&](auto const& ctx, hooks::hook_set<TestType> const& set, readings<TestType>* found) {
        auto const model = tiny_model<TestType>(ctx);
        engine::travel const how{.block_rows = 7, .max_inline_prefix_rows = 0};  // as prefixes with hooks do not
        tensor::buffer<double, 2> distances({4, 4});
        auto const reads = found ? keep<TestType>("ln_final.hook_out", *found)
                                 : engine::read_distances<TestType>("ln_final.hook_out", distances);
        std::size_t const before = bytes_to_host();
        engine::patched_rows<TestType>{model.engine(), prompts, 4, {}, how}.run(
            pairs, sweep::straight_lines<TestType>(4), set | reads);
        return bytes_to_host() - before;
    };
    auto const ctx = device();
    readings<TestType> plain;
    run(ctx, {}, &plain);
    for (std::size_t i = 0; i < sets.size(); ++i) {
        CAPTURE(i);
        readings<TestType> found, cpu;
        run(ctx, sets[i], &found);
        run(processor, sets[i], &cpu);
        CHECK(largest_difference(found, cpu) <= 10 * engine_tolerance<TestType>);
        CHECK(largest_difference(found, plain) > 1e-3);
    }
    hooks::hook_set<TestType> all, idle, of_the_host;
    for (std::string const site : {"blocks.1.hook_resid_mid", "blocks.2.attn.hook_z"}) {
        all = all | hooks::add<TestType>(site, u) | hooks::scale<TestType>(site, TestType(2)) |
              hooks::project_out<TestType>(site, u);
        idle = idle | hooks::patch<TestType>(
                          site, [](hooks::rows_at<TestType>&) {}, hooks::depends_on::position);
        of_the_host =
            of_the_host | hooks::patch<TestType>(
                              site, [](hooks::rows_at<TestType>& here) { here.change(); }, hooks::depends_on::position);
    }
    auto const bytes = run(ctx, {}, nullptr);
    std::size_t const less_than_a_row =
        23 * sizeof(TestType);  // prompts run once more where they have hooks, and leave notes
    CHECK(run(ctx, all, nullptr) <= bytes + less_than_a_row);
    CHECK(run(ctx, idle, nullptr) <= bytes + less_than_a_row);  // nobody asked for values
    CHECK((!counts_bytes || run(ctx, of_the_host, nullptr) > bytes + 20 * less_than_a_row));
}

TEST_CASE("directions that are none, and vectors that do not fit, are errors on the device too", "[cuda][engine]") {
    auto const model = tiny_model<float>(device());
    auto const run = [&](hooks::hook_set<float> const& set) { model.run(prompts, set); };
    std::vector<float> u(24, 1.0f);
    CHECK_NOTHROW(run(hooks::project_out<float>("blocks.1.attn.hook_z", u)));
    std::fill_n(u.begin() + 6, 6, 0.0f);
    CHECK_THROWS_AS(run(hooks::project_out<float>("blocks.1.attn.hook_z", u)), domain_error);  // a share of nothing
    CHECK_NOTHROW(run(hooks::project_out<float>("blocks.1.attn.hook_z", u, hooks::heads{0, 2})));
    u[0] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(run(hooks::project_out<float>("blocks.1.hook_resid_mid", u)),
                      contains("blocks.1.hook_resid_mid is zero or not finite"));
    CHECK_THROWS_AS(run(hooks::project_out<float>("blocks.1.hook_resid_mid", std::vector<float>(23, 1.0f))),
                    shape_error);
}

TEST_CASE("predictions, losses, answers and generated texts are the CPU's", "[cuda][engine]") {
    auto const run = [&](auto const& ctx) {
        auto const model = tiny_model<double>(ctx);
        engine::predictions<double> read{4, 5, 3};
        engine::answer_logits<double> answers{model.engine(), {{1, 2}, {3, 4}, {5, 6}, {0, 36}}, 5};
        sweep::interpolate(model, prompts, pairs, 5, {},
                           engine::read_predictions(model.engine(), read) | answers.reads());
        std::vector<double> numbers;
        for (auto const* one : {&read.kl_from_start, &read.kl_to_start, &read.log_sum_exp})
            numbers.insert(numbers.end(), one->flat().begin(), one->flat().end());
        for (auto const& best : read.best.flat())
            numbers.push_back(best.logit), numbers.push_back(static_cast<double>(best.token));
        for (index p = 0; p < 4; ++p) {
            for (index k = 0; k < 2; ++k)
                numbers.insert(numbers.end(), answers.of(p, k).begin(), answers.of(p, k).end());
        }
        for (auto const& losses : engine::token_losses(model.engine(), prompts))
            numbers.insert(numbers.end(), losses.begin(), losses.end());
        for (auto const& text : engine::generate(model.engine(), prompts, {.max_new_tokens = 6})) {
            for (auto const token : text.tokens) numbers.push_back(static_cast<double>(token));
        }
        return numbers;
    };
    auto const found = run(device()), cpu = run(processor);
    REQUIRE(found.size() == cpu.size());
    for (std::size_t i = 0; i < cpu.size(); ++i) {
        CAPTURE(i);
        CHECK_THAT(found[i], WithinAbs(cpu[i], 1e-11));
    }
}

TEST_CASE("what is not finite on the device is said with its layer and its pair", "[cuda][engine]") {
    auto const model = tiny_model<float>(device());
    sweep::point_writer<float> const poison = [](index pair, index point, auto a, auto, auto out) {
        std::copy_n(a.data(), a.size(), out.data());
        if (pair == 2 && point == 1) out(0, 3) = std::numeric_limits<float>::infinity();
    };
    tensor::buffer<double, 2> distances({4, 3});
    engine::patched_rows<float> rows{model.engine(), prompts, 3, {}};
    CHECK_THROWS_WITH(rows.run(pairs, poison, engine::read_distances<float>("ln_final.hook_out", distances)),
                      contains("after layer 1") && contains("pair 2"));
}

/// A device does not say how many graphs it ran.
#if PLATEAU_CUDA_ON_CPU
constexpr bool counts_graphs = true;
int graphs_run() { return cuda_on_cpu::graphs_run(); }
#else
constexpr bool counts_graphs = false;
int graphs_run() { return 0; }
#endif

TEST_CASE("blocks of the same form are recorded once, and give the same bits", "[cuda][engine]") {
    constexpr index steps = 40;
    auto const run = [&](index rows, index inline_rows, index prefix_bytes) {
        auto const model = tiny_model<float>(device(rows));
        engine::travel const how{.prefix_bytes = prefix_bytes, .max_inline_prefix_rows = inline_rows};
        tensor::buffer<double, 2> distances({4, steps});
        int const before = graphs_run();
        engine::patched_rows<float>{model.engine(), prompts, steps, {}, how}.run(
            pairs, sweep::straight_lines<float>(steps), engine::read_distances<float>("ln_final.hook_out", distances));
        bool const repeats = counts_graphs && rows < 100 &&
                             inline_rows == 0;  // prefixes that ride along have their keys in new places every time
        CHECK((graphs_run() > before) == repeats);
        return std::vector<double>(distances.flat().begin(), distances.flat().end());
    };
    auto const whole = run(1000, 48, index{1} << 30);
    CHECK(run(12, 0, index{1} << 30) == whole);
    CHECK(run(12, 48, index{1} << 30) == whole);
    CHECK(run(12, 0, 1) == whole);  // the prefixes of one pair at a time: other keys in other places
}

inline constexpr nn::work_buffer squares_buffer{"squares"}, arguments_buffer{"arguments"}, shares_buffer{"shares"};

/// A feed-forward part of one's own, of operations, with a hook point of its own: y = relu(x W_inᵀ)² W_outᵀ.
/// @see So et al. 2021, "Primer"
template <class Context, class T>
struct squared_relu {
    using rows = nn::layer_rows<Context, T>;
    static constexpr bool on_host = false;
    static constexpr char shown[] = "mlp.hook_squares";

    nn::linear<Context, T> in, out;

    void forward(rows l, typename rows::const_rows_view x, typename rows::rows_view y) const {
        auto const pre = l.matrix(arguments_buffer, in.weight.outputs());
        auto const post = l.matrix(squares_buffer, in.weight.outputs());
        in.forward(l.context(), x, pre);
        l.hook(hooks::site_id::mlp_pre, pre);
        backend::activate<T>(l.context(), activation::relu, pre, pre, post);
        l.hook(hooks::own_site(3), post);
        out.forward(l.context(), post, y);
    }
    void list(std::vector<hooks::site>& sites, int layer) const {
        index const width = in.weight.outputs();
        hooks::add_site(sites, {hooks::site_id::mlp_pre, layer, hooks::site_axes::vector, 1, width});
        hooks::add_site(sites, {hooks::own_site(3), layer, hooks::site_axes::vector, 1, width, shown});
    }
};

/// Another, partly the host's: y = (relu(x W_inᵀ) / (1 + position)) W_outᵀ.
template <class Context, class T>
struct fading_relu {
    using rows = nn::layer_rows<Context, T>;
    static constexpr bool on_host = true;
    static constexpr char shown[] = "mlp.hook_post";

    nn::linear<Context, T> in, out;

    void forward(rows l, typename rows::const_rows_view x, typename rows::rows_view y) const {
        auto const pre = l.matrix(arguments_buffer, in.weight.outputs());
        auto const shares = l.matrix(shares_buffer, in.weight.outputs());
        in.forward(l.context(), x, pre);
        backend::host_rows<Context, T> on_the_host{l.pass.copies(), shares};
        auto const written = on_the_host.write();
        for (index r = 0; r < written.extent(0); ++r) {
            auto const position = l.pass.ids()[static_cast<std::size_t>(r)].position;
            std::fill_n(written[r].data(), written.extent(1), T(1) / static_cast<T>(1 + position));
        }
        on_the_host.finish();
        backend::activate<T>(l.context(), activation::relu, pre, shares, pre);
        l.hook(hooks::site_id::mlp_post, pre);
        out.forward(l.context(), pre, y);
    }
    void list(std::vector<hooks::site>& sites, int layer) const {
        hooks::add_site(sites, {hooks::site_id::mlp_post, layer, hooks::site_axes::vector, 1, in.weight.outputs()});
    }
};

/// The tiny model with another part for its MLP.
template <template <class, class> class Part, class T, class Context>
model<T> with_part(std::shared_ptr<Context const> ctx) {
    scratch_dir const folder;
    tiny::checkpoint{7}.write(folder.path());
    auto const opened = models::open<T>(folder.path());
    using block = nn::block<nn::norm<Context, T>, nn::attention<Context, T>, Part<Context, T>>;
    auto own = models::with_mlp<block>(models::assemble<Context, T>(*ctx, opened.config, *opened.weights),
                                       [](nn::mlp<Context, T> mlp) {
        return Part<Context, T>{std::move(mlp.in), std::move(mlp.out)};
    });
    return {std::move(ctx), std::move(own)};
}

/// Forward passes, hooks and sweeps of a part on the device, beside the CPU.
template <template <class, class> class Part, class T>
void require_part() {
    auto const on_device = with_part<Part, T>(device()), cpu = with_part<Part, T>(processor);
    std::string const shown = Part<cuda, T>::shown;
    auto const hooked = hooks::scale<T>("blocks.1." + shown, T(-1.75), hooks::positions{0, 4}) |
                        hooks::patch<T>("blocks.2." + shown, [](hooks::rows_at<T>& here) {
                            auto const post = here.change();
                            for (index r = 0; r < here.count(); ++r) post(r, 0, 3) += T(0.5);
                        });
    readings<T> found, expected, changed, changed_there, plain, logits;
    on_device.run(prompts, keep<T>("*", found));
    cpu.run(prompts, keep<T>("*", expected));
    CHECK(largest_difference(found, expected) <= 10 * engine_tolerance<T>);
    on_device.run(prompts, hooked | keep<T>("unembed.hook_out", changed));
    cpu.run(prompts, hooked | keep<T>("unembed.hook_out", changed_there));
    tiny_model<T>(processor).run(prompts, keep<T>("unembed.hook_out", plain));
    on_device.run(prompts, keep<T>("unembed.hook_out", logits));  // what nobody looks at
    CHECK(largest_difference(changed, changed_there) <= 10 * engine_tolerance<T>);
    CHECK(largest_difference(changed, logits) > 1e-3);
    CHECK(largest_difference(logits, plain) > 1e-3);

    constexpr index steps = 40;
    auto const wanted = sweep::interpolate(cpu, prompts, pairs, steps);
    double largest = 0;
    for (double const d : wanted.distances.flat()) largest = std::max(largest, d);
    std::vector<std::vector<double>> all;
    for (index const rows : {1000, 12}) {
        int told = 0;
        auto const ctx = std::make_shared<cuda>(backend::float_products::fp32, rows);
        ctx->on_notice([&](std::string const&) { ++told; });
        auto const model = with_part<Part, T, cuda>(ctx);
        int const before = graphs_run();
        tensor::buffer<double, 2> distances({4, steps});
        engine::patched_rows<T>{model.engine(), prompts, steps, {}, {.max_inline_prefix_rows = 0}}.run(
            pairs, sweep::straight_lines<T>(steps), engine::read_distances<T>("ln_final.hook_out", distances));
        bool const repeats = rows < 100;
        CHECK((graphs_run() > before) == (counts_graphs && repeats && !Part<cuda, T>::on_host));
        CHECK((told > 0) == (repeats && Part<cuda, T>::on_host));  // that the host's part cannot be recorded
        for (index i = 0; i < distances.size(); ++i) {
            CHECK_THAT(distances.data()[i], WithinAbs(wanted.distances.data()[i], engine_tolerance<T> * largest));
        }
        all.emplace_back(distances.flat().begin(), distances.flat().end());
    }
    CHECK(all[0] == all[1]);
}

TEMPLATE_TEST_CASE("a block of one's own runs, is hooked and is swept on the device as on the CPU", "[cuda][engine]",
                   float, double) {
    SECTION("of operations") { require_part<squared_relu, TestType>(); }
    SECTION("partly the host's") { require_part<fading_relu, TestType>(); }
}

#if PLATEAU_CUDA_ON_CPU
TEST_CASE("values that rows share go to the device once", "[cuda][engine]") {
    auto const model = tiny_model<float>(device());
    auto const bytes = [&](hooks::positions at) {
        std::size_t const before = cuda_on_cpu::bytes_taken();
        model.run(prompts, hooks::project_out<float>("blocks.1.attn.hook_z", std::vector<float>(24, 0.5f),
                                                     at & hooks::heads{0, 2}));
        return cuda_on_cpu::bytes_taken() - before;
    };
    CHECK(bytes({}) - bytes(hooks::positions::one(0)) == 2 * (27 - 4) * sizeof(backend::row_edit));
}

/// Sets the device's memory, until the end.
struct small_memory {
    explicit small_memory(std::size_t bytes) { cuda_on_cpu::set_memory_size(bytes); }
    ~small_memory() { cuda_on_cpu::set_memory_size(std::size_t{1} << 32); }
};

TEST_CASE("where memory is short, blocks get smaller, and the user is told", "[cuda][engine]") {
    std::size_t const before = cuda_on_cpu::allocations();
    std::vector<std::string> told;
    auto const run = [&](std::size_t bytes, index asked) {
        auto const ctx = std::make_shared<cuda>(backend::float_products::fp32, 4000);
        ctx->on_notice([&](std::string const& text) { told.push_back(text); });
        auto const model = tiny_model<float, cuda>(ctx);
        small_memory const limit{cuda_on_cpu::bytes_allocated() + bytes};
        tensor::buffer<double, 2> distances({4, 80});
        engine::patched_rows<float>{model.engine(), prompts, 80, {}, {.block_rows = asked}}.run(
            pairs, sweep::straight_lines<float>(80), engine::read_distances<float>("ln_final.hook_out", distances));
        return std::vector<double>(distances.flat().begin(), distances.flat().end());
    };
    auto const all = run(std::size_t{1} << 30, 0);
    CHECK(told.empty());
    CHECK(run(std::size_t{20} << 20, 0) == all);  // as many rows as half of what is free can hold
    CHECK(told.empty());
    CHECK(run((std::size_t{1} << 23) + 300000, 50000) == all);
    CHECK(told.size() >= 1);
    for (auto const& one : told) CHECK(one.find("going on with") != std::string::npos);
    CHECK_THROWS_AS(run(1000, 0), memory_error);
    CHECK(cuda_on_cpu::allocations() == before);
}

/// Every call of a sweep, loading included, or one of `every`, fails once.
void require_failures(cudaError_t status, int every) {
    prompt_list const two = tiny::random_prompts(3, {3, 2}, 37);
    std::vector<sweep::prompt_pair> const one{{0, 1}};
    scratch_dir const folder;
    tiny::checkpoint{7, 0.3f, 2}.write(folder.path());
    std::size_t const before = cuda_on_cpu::allocations();
    int halved = 0;
    tensor::buffer<double, 2> distances({1, 3});
    auto const run = [&] {
        auto const ctx = std::make_shared<cuda>();
        ctx->on_notice([&](std::string const&) { ++halved; });
        auto const model = loaded<float, cuda>(folder.path(), ctx);
        engine::travel const how{.block_rows = 2, .max_inline_prefix_rows = 0};  // two of one form: there is a graph
        engine::patched_rows<float>{model.engine(), two, 3, {}, how}.run(
            one, sweep::straight_lines<float>(3), engine::read_distances<float>("ln_final.hook_out", distances));
    };
    constexpr int many = 1 << 30;
    cuda_on_cpu::fail_call(many, status);
    run();
    int const calls = many - cuda_on_cpu::calls_before_failure();
    CHECK(calls > 100);
    auto const expected = distances.clone();
    int failed = 0, borne = 0;
    for (int call = 1; call <= calls; call += every) {
        CAPTURE(call);
        std::fill_n(distances.data(), distances.size(), -1.0);
        cuda_on_cpu::fail_call(call, status);
        try {
            run();
            ++borne;  // an algorithm less to choose from
            for (index i = 0; i < 3; ++i) CHECK_THAT(distances.data()[i], WithinAbs(expected.data()[i], 1e-5));
        } catch (memory_error const& e) {
            ++failed;
            CHECK_THAT(e.what(), contains("memory"));
        } catch (device_error const& e) {
            ++failed;
            CHECK_THAT(e.what(), contains("refused") && contains(";"));  // what, and the way out
        }
        cuda_on_cpu::fail_call(0, cudaSuccess);
        REQUIRE(cuda_on_cpu::allocations() == before);
    }
    CHECK(failed > borne);
    run();
    CHECK(same_bits(distances.data(), expected.data(), 3));
}

TEST_CASE("a call that fails is an exception that says so, loses no memory and no result", "[cuda][engine]") {
    require_failures(GENERATE(cudaErrorLaunchFailure, cudaErrorMemoryAllocation), 23);
}

TEST_CASE("so is every call", "[cuda][engine][full]") {
    require_failures(GENERATE(cudaErrorLaunchFailure, cudaErrorMemoryAllocation), 1);
}
#endif

}  // namespace
