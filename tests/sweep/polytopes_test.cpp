// Sign changes of gates along paths: sampled and exact, beside nets whose crossings are known and fine scans.
#include <plateau/sweep/polytopes.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/compare_regions.hpp>
#include <plateau/sweep/polytope_numbers.hpp>

#include "support/catch.hpp"
#include "support/first_difference.hpp"
#include "support/threaded_model.hpp"
#include "support/toy_models.hpp"

namespace {

using namespace plateau;
using plateau::index;
using sweep::prompt_pair;
using testing::contains;
using testing::golden_model;
using testing::random_model;

prompt_list const prompts{{3, 5, 7, 11, 29}, {4, 5, 8, 11, 26}, {9, 9, 1, 2, 3}, {1, 2, 30, 12, 8}};
std::vector<prompt_pair> const pairs{{0, 1}, {2, 3}, {1, 0}, {3, 3}};

index total(std::span<index const> counts) { return std::accumulate(counts.begin(), counts.end(), index{0}); }

TEST_CASE("sampled sign changes of ReLU nets grow to the exact ones", "[sweep][polytopes][toy]") {
    testing::relu_net const net{{8, 24, 24, 24, 3}, 5};
    auto const a = testing::random_vector<double>(8, 91), b = testing::random_vector<double>(8, 92);
    auto const exact = net.restrict_to(a, b).crossings;
    REQUIRE(exact.size() == 3);
    for (std::size_t l = 0; l < 3; ++l) {
        index const points = 65537;
        tensor::buffer<std::uint64_t, 2> codes({points, 1});
        for (index i = 0; i < points; ++i) {
            std::vector<double> x(8);
            paths::linear<double>{a, b}(paths::grid_fraction(i, points), std::span{x});
            auto const z = net.hidden(x)[l];
            for (std::size_t j = 0; j < z.size(); ++j) codes(i, 0) |= std::uint64_t{z[j] > 0} << j;
        }
        index before = 0;
        for (index const intervals : {1, 16, 256, 4096, 65536}) {
            auto const found = total(metrics::sign_changes_along(codes, 65536 / intervals));
            CHECK(found >= before);
            CHECK((found - static_cast<index>(exact[l])) % 2 == 0);
            before = found;
        }
        CHECK(before == static_cast<index>(exact[l]));
        CHECK(before > 3);
    }
}

/// A Llama without norms and attention, of plain ReLU layers: x ← x + W_out relu(W_in x), linear between crossings.
struct residual_relu_net {
    tiny::checkpoint weights{21, 0.3F};
    testing::scratch_dir folder;

    residual_relu_net() {
        for (index l = 0; l < weights.layers; ++l) {
            auto& output = weights.tensors["model.layers." + std::to_string(l) + ".self_attn.o_proj.weight"].values;
            std::fill(output.begin(), output.end(), 0.0F);
        }
        weights.write(folder.path());
    }

    model<double> load() const {
        auto const ctx = std::make_shared<backend::cpu_context const>(2);
        auto const opened = models::open<double>(folder.path());
        auto transformer = models::assemble<backend::cpu_context, double>(*ctx, opened.config, *opened.weights);
        for (auto& block : transformer.blocks) {
            block.mlp.before.reset();
            block.attention.before.reset();
            block.mlp.part.gated = false;
            block.mlp.part.act = activation::relu;
        }
        return model<double>{ctx, std::move(transformer)};
    }

    /// Sign changes of each block's units along the line from a to b behind block 0: linear pieces are cut where a unit
    /// crosses, block by block.
    std::vector<index> exact(std::vector<double> const& a, std::vector<double> const& b) const {
        std::vector<std::pair<double, std::vector<double>>> pieces{{0, a}, {1, b}};
        std::vector<index> counts{0};
        for (index l = 1; l < weights.layers; ++l) {
            std::string const at = "model.layers." + std::to_string(l) + ".mlp.";
            auto const &in = weights.tensors.at(at + "up_proj.weight").values,
                       &out = weights.tensors.at(at + "down_proj.weight").values;
            auto const width = static_cast<std::size_t>(weights.d_model),
                       units = static_cast<std::size_t>(weights.d_mlp);
            auto const times = [](std::vector<float> const& w, std::size_t rows, std::vector<double> const& x) {
                std::vector<double> y(rows);
                for (std::size_t i = 0; i < rows; ++i) {
                    for (std::size_t j = 0; j < x.size(); ++j) y[i] += static_cast<double>(w[i * x.size() + j]) * x[j];
                }
                return y;
            };
            auto cut = pieces;
            for (std::size_t k = 0; k + 1 < pieces.size(); ++k) {
                auto const from = times(in, units, pieces[k].second), to = times(in, units, pieces[k + 1].second);
                for (std::size_t j = 0; j < units; ++j) {
                    if ((from[j] > 0) == (to[j] > 0)) continue;
                    double const t = from[j] / (from[j] - to[j]);
                    std::vector<double> x(width);
                    for (std::size_t i = 0; i < width; ++i)
                        x[i] = (1 - t) * pieces[k].second[i] + t * pieces[k + 1].second[i];
                    cut.emplace_back((1 - t) * pieces[k].first + t * pieces[k + 1].first, x);
                }
            }
            std::sort(cut.begin(), cut.end(), [](auto const& x, auto const& y) { return x.first < y.first; });
            counts.push_back(static_cast<index>(cut.size() - pieces.size()));
            for (auto& [alpha, x] : cut) {
                auto z = times(in, units, x);
                for (double& one : z) one = std::max(one, 0.0);
                auto const added = times(out, width, z);
                for (std::size_t i = 0; i < width; ++i) x[i] += added[i];
            }
            pieces = std::move(cut);
        }
        return counts;
    }
};

TEST_CASE("the engine counts what a residual ReLU net crosses, in every block", "[sweep][polytopes][toy]") {
    residual_relu_net const net;
    auto const model = net.load();
    auto const ends = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const found = sweep::count_sign_changes(model, prompts, pairs, {.steps = 4097});
    auto const row = [&](index i) { return std::vector<double>(ends[i].data(), ends[i].data() + ends.extent(1)); };
    for (index p = 0; p < 4; ++p) {
        auto const& pair = pairs[static_cast<std::size_t>(p)];
        auto const exact = net.exact(row(pair.from), row(pair.to));
        for (index l = 0; l < 3; ++l) {
            CAPTURE(p, l);
            CHECK(found.by_grid(p, l, 0) == exact[static_cast<std::size_t>(l)]);
            CHECK(total(found.hamming[p][l].flat()) == found.by_grid(p, l, 0));
            CHECK((l == 0 || p == 3) == (found.by_grid(p, l, 0) == 0));
        }
    }
    // the line closed: from B to A it crosses the same
    CHECK(found.by_grid(0, 2, 0) == found.by_grid(2, 2, 0));
    // a linear net moves evenly
    for (index i = 0; i < 100; ++i)
        CHECK_THAT(found.lengths(0, 1, i), Catch::Matchers::WithinRel(found.lengths(0, 1, 0), 1e-6));
}

TEST_CASE("counts of every family: parity, nesting, mismatch", "[sweep][polytopes]") {
    for (std::string const name : {"llama_gqa", "gpt2", "gpt_neox", "phi", "opt", "gemma2", "olmo2", "phi3"}) {
        CAPTURE(name);
        auto const model = golden_model<float>(name)(1);
        auto const found = sweep::count_sign_changes(model, prompts, pairs, {.steps = 25});
        REQUIRE(found.grids.size() == 8);
        CHECK(static_cast<index>(found.gates.size()) == model.layers() - 1);
        auto const clean = sweep::last_activations(model, prompts, found.gates.back().pre);
        for (index p = 0; p < found.pairs(); ++p) {
            for (index l = 0; l < found.layers(); ++l) {
                for (index g = 0; g < 8; ++g) {
                    CHECK(found.by_grid(p, l, 0) >= found.by_grid(p, l, g));
                    CHECK((found.by_grid(p, l, g) - found.mismatch(p, l)) % 2 == 0);
                }
            }
        }
        // the first end is the context's own run
        index positive = 0, differ = 0;
        auto const at_b = sweep::count_sign_changes(model, prompts, {{0, 0}}, {.steps = 2});
        for (index j = 0; j < clean.extent(1); ++j) positive += clean(0, j) > 0, differ += clean(0, j) > 0;
        CHECK(positive == differ);
        CHECK(at_b.mismatch(0, model.layers() - 1) == 0);
    }
}

/// The gates' weights [F, n] of what they read behind the norm, from runs in which that is a unit vector.
struct probed_gates {
    std::string input;
    tensor::buffer<double, 2> weights;
    std::vector<double> bias;

    probed_gates(model<double> const& model, sweep::gate_site const& at) : input{at.reads} {
        if (!at.normalized.empty()) input = at.normalized.substr(0, at.normalized.rfind('.')) + ".hook_out";
        index const width = model.width();
        weights = tensor::buffer<double, 2>({at.gates, width});
        auto const gates_of = [&](std::vector<double> x) {
            std::vector<double> z(static_cast<std::size_t>(at.gates));
            model.run({{0}}, hooks::set_to<double>(input, std::move(x)) |
                                 hooks::capture<double>(at.pre, [&](hooks::rows_at<double>& here) {
                                     std::copy_n(here.read().data(), at.gates, z.data());
                                 }));
            return z;
        };
        bias = gates_of(std::vector<double>(static_cast<std::size_t>(width)));
        for (index i = 0; i < width; ++i) {
            std::vector<double> unit(static_cast<std::size_t>(width));
            unit[static_cast<std::size_t>(i)] = 1;
            auto const z = gates_of(unit);
            for (index j = 0; j < at.gates; ++j)
                weights(j, i) = z[static_cast<std::size_t>(j)] - bias[static_cast<std::size_t>(j)];
        }
    }
};

/// Points of the line of pair 0 from `low` to `high`, n + 1 of them, in pieces that pairs of the same prompts take.
struct line_piece {
    double low, high;
};

/// How often each gate changes its sign in each piece of the line of a pair, sampled at `points` + 1 points of it.
std::vector<std::vector<index>> scan(model<double> const& model, prompt_pair const& pair, std::string const& write,
                                     sweep::gate_site const& at, std::vector<line_piece> const& pieces, index points) {
    std::vector<prompt_pair> const same(pieces.size(), pair);
    engine::point_writer<double> const writes = [&](index piece, index point, auto from, auto to, auto out) {
        auto const& [low, high] = pieces[static_cast<std::size_t>(piece)];
        double const alpha = low + (high - low) * static_cast<double>(point) / static_cast<double>(points);
        for (index j = 0; j < out.extent(0); ++j)
            paths::linear<double>{from[j].flat(), to[j].flat()}(alpha, out[j].flat());
    };
    sweep::sweep_points<double> const lines{points + 1, writes, {.write = write}};
    std::vector<std::vector<index>> counts(pieces.size(), std::vector<index>(static_cast<std::size_t>(at.gates)));
    auto const take = [&](index piece, tensor::view<std::uint64_t const, 2> codes) {
        for (index i = 1; i < codes.extent(0); ++i) {
            for (index w = 0; w < codes.extent(1); ++w) {
                for (auto changed = codes(i, w) ^ codes(i - 1, w); changed != 0; changed &= changed - 1)
                    ++counts[static_cast<std::size_t>(piece)]
                            [static_cast<std::size_t>(64 * w + std::countr_zero(changed))];
            }
        }
    };
    auto const held = sweep::hold_attention(model, prompts, same, lines, at);
    engine::patched_rows<double>{model.engine(), prompts, points + 1, lines.setup}.run(
        same, writes, held | engine::read_sign_codes<double>(at.pre, take));
    return counts;
}

/// The exact crossings of pair 0 beside a scan of `pieces` × `points` points, and the gates at their roots.
void check_exact(std::string const& name, std::string const& write, index pieces, index points) {
    CAPTURE(name, write);
    auto const model = golden_model<double>(name)(2);
    std::vector<prompt_pair> const one{pairs[0]};
    sweep::sweep_points<double> const lines{3, sweep::straight_lines<double>(3), {.write = write}};
    auto const at = sweep::gates_behind(model.sites(), write).front();
    auto const held = sweep::hold_attention(model, prompts, one, lines, at);
    auto const exact = sweep::find_exact_crossings(model, prompts, one, lines, held);
    REQUIRE(exact.at.pre == at.pre);
    REQUIRE(exact.of[0].size() > 2);

    std::vector<line_piece> line;
    for (index k = 0; k < pieces; ++k)
        line.push_back({static_cast<double>(k) / static_cast<double>(pieces),
                        static_cast<double>(k + 1) / static_cast<double>(pieces)});
    auto const scanned = scan(model, pairs[0], write, at, line, points);
    for (index k = 0; k < pieces; ++k) {
        auto const& piece = line[static_cast<std::size_t>(k)];
        std::vector<index> counts(static_cast<std::size_t>(at.gates));
        for (auto const& crossing : exact.of[0])
            counts[static_cast<std::size_t>(crossing.gate)] +=
                crossing.alpha >= piece.low && crossing.alpha < piece.high;
        if (counts == scanned[static_cast<std::size_t>(k)]) continue;
        // two crossings between two points, or one at the piece's end: look again, finer and a little further
        double const more = 1e-9;
        auto const again =
            scan(model, pairs[0], write, at, {{std::max(0.0, piece.low - more), piece.high + more}}, 20 * points)[0];
        for (std::size_t j = 0; j < counts.size(); ++j) {
            CAPTURE(k, j);
            CHECK(std::abs(again[j] - counts[j]) <= (counts[j] == scanned[static_cast<std::size_t>(k)][j] ? 1 : 0));
        }
    }

    // at a root the gate is zero, as far as the sum that makes it can be
    probed_gates const gates{model, at};
    engine::point_writer<double> const writes = [&](index, index point, auto from, auto to, auto out) {
        auto const& root = exact.of[0][static_cast<std::size_t>(std::max<index>(point - 1, 0))];
        paths::linear<double>{from[0].flat(), to[0].flat()}(point == 0 ? 0 : root.alpha, out[0].flat());
    };
    auto const points_of = static_cast<index>(exact.of[0].size()) + 1;
    tensor::buffer<double, 2> x({points_of, model.width()}), z({points_of, at.gates});
    auto const keep = [](tensor::buffer<double, 2>& into) {
        return [&into](index, tensor::view<double const, 2> rows) {
            for (index i = 0; i < rows.extent(0); ++i) std::copy_n(rows[i].data(), rows.extent(1), into[i].data());
        };
    };
    engine::patched_rows<double>{model.engine(), prompts, points_of, lines.setup}.run(
        one, writes,
        held | engine::read_paths<double>(gates.input, keep(x)) | engine::read_paths<double>(at.pre, keep(z)));
    double worst = 0;
    for (index i = 1; i < points_of; ++i) {
        index const gate = exact.of[0][static_cast<std::size_t>(i - 1)].gate;
        double size = std::abs(gates.bias[static_cast<std::size_t>(gate)]);
        for (index d = 0; d < model.width(); ++d) size += std::abs(gates.weights(gate, d) * x(i, d));
        worst = std::max(worst, std::abs(z(i, gate)) / size);
    }
    CAPTURE(worst);
    CHECK(worst <= 1e-12);
}

std::vector<std::string> const families{"llama_gqa",
                                        "llama_bias_headdim",
                                        "gpt2",
                                        "gpt2_lnfree",
                                        "gpt_neo",
                                        "gpt_neox",
                                        "gpt_neox_sequential",
                                        "opt",
                                        "phi",
                                        "phi3",
                                        "gemma",
                                        "gemma2",
                                        "mistral",
                                        "olmo2",
                                        "olmo_clip",
                                        "qwen2",
                                        "qwen3"};

TEST_CASE("exact crossings are those of a scan, and zeros of their gates", "[sweep][polytopes][exact]") {
    for (auto const& name : families) check_exact(name, "blocks.0.hook_resid_post", 4, 500);
    for (std::string const site : {"blocks.1.hook_resid_mid", "blocks.1.hook_attn_out", "blocks.0.hook_mlp_out",
                                   "hook_embed", "blocks.0.hook_resid_pre"})
        check_exact("gpt2", site, 4, 500);
}

TEST_CASE("exact crossings are those of a scan of a million points", "[sweep][polytopes][exact][full]") {
    for (auto const& name : families) check_exact(name, "blocks.0.hook_resid_post", 1000, 1000);
}

TEST_CASE("sampled with the same attention held, crossings grow to the exact ones", "[sweep][polytopes][exact]") {
    for (std::string const name : {"gpt2", "llama_gqa"}) {
        auto const model = golden_model<double>(name)(2);
        auto const found = sweep::find_polytopes(model, prompts, pairs, {.along = {.steps = 1001}, .exact = true});
        auto const exact = found.exact_by_interval();
        auto const sampled = found.sampled.flat();
        REQUIRE(exact.size() == sampled.size());
        index seen = 0, wanted = 0;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            CHECK(sampled[i] <= exact[i]);
            seen += sampled[i], wanted += exact[i];
        }
        CHECK(wanted - seen <= 2);  // of two crossings between two points
        CHECK(found.exact_totals()[0] == static_cast<double>(found.exact.of[0].size()));
        CHECK(found.exact.of[3].empty());
    }
}

TEST_CASE("counts are the same bits for any threads, and in company", "[sweep][polytopes]") {
    auto const models = random_model<float>(5);
    sweep::polytopes_options const o{.along = {.steps = 9}, .exact = true, .radii = {0.1}, .directions = 3};
    auto const one = sweep::find_polytopes(models(1), prompts, pairs, o);
    auto const three = sweep::find_polytopes(models(3), prompts, pairs, o);
    auto const alone = sweep::find_polytopes(models(2), prompts, {pairs[1]}, o);
    CHECK(std::ranges::equal(one.counts.hamming.flat(), three.counts.hamming.flat()));
    CHECK(std::ranges::equal(one.counts.lengths.flat(), three.counts.lengths.flat()));
    CHECK(std::ranges::equal(one.complexity.flat(), three.complexity.flat()));
    CHECK(one.exact_by_interval() == three.exact_by_interval());
    CHECK(std::ranges::equal(one.counts.hamming[1].flat(), alone.counts.hamming[0].flat()));
    CHECK(one.exact.of[1].size() == alone.exact.of[0].size());
}

TEST_CASE("local complexity grows with the radius, and is that of vertices written by hand", "[sweep][polytopes]") {
    auto const model = random_model<double>(6)(2);
    index const directions = 5;
    auto const found =
        sweep::local_complexity(model, prompts, {.radii = {1e-9, 0.05, 0.5}, .directions = directions, .seed = 4});
    for (index n = 0; n < 4; ++n) {
        CHECK(found(0, n, 0) == 0);
        for (index l = 1; l < 3; ++l) {
            CHECK(found(0, n, l) == 0);
            CHECK(found(1, n, l) <= found(2, n, l));
        }
    }
    CHECK(found(2, 0, 1) > 3);
    counter_rng rng{counter_rng{4}.at(2)};
    auto const frame = sweep::random_frame(directions, model.width(), rng);
    for (index i = 0; i < directions; ++i) {
        for (index k = 0; k < directions; ++k) {
            double const product =
                std::inner_product(frame[i].data(), frame[i].data() + model.width(), frame[k].data(), 0.0);
            CHECK(std::abs(product - (i == k ? 1 : 0)) <= 1e-14);
        }
    }
    auto const x = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    double const length = std::sqrt(std::inner_product(x[2].data(), x[2].data() + model.width(), x[2].data(), 0.0));
    std::map<index, index> signs;  // by gate, of how many vertices positive
    for (index v = 0; v < 2 * directions; ++v) {
        auto const patch = hooks::patch<double>("blocks.0.hook_resid_post", [&](hooks::rows_at<double>& here) {
            auto const rows = here.change();
            double const step = (v % 2 == 0 ? 0.05 : -0.05) * length;
            for (index d = 0; d < model.width(); ++d) rows(4, 0, d) = x(2, d) + step * frame(v / 2, d);
        });
        model.run({prompts[2]},
                  patch | hooks::capture<double>("blocks.2.mlp.hook_pre", [&](hooks::rows_at<double>& here) {
                      auto const z = here.read()[4].flat();
                      for (std::size_t j = 0; j < z.size(); ++j) signs[static_cast<index>(j)] += z[j] > 0;
                  }));
    }
    auto const vary = std::count_if(signs.begin(), signs.end(),
                                    [&](auto const& one) { return one.second > 0 && one.second < 2 * directions; });
    CHECK(found(1, 2, 2) == vary);
}

TEST_CASE("random lines are as long as those to B, and the same for a seed", "[sweep][polytopes]") {
    auto const model = random_model<double>(8)(1);
    auto const ends = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const write = sweep::random_lines<double>(5, 17);
    tensor::buffer<double, 2> out({1, model.width()}), again({1, model.width()});
    for (index point = 0; point < 5; ++point) {
        write(0, point, ends.view().rows(0, 1), ends.view().rows(1, 1), out);
        double const moved = metrics::l2_distance<double>(ends[0].flat(), out.flat());
        double const whole = metrics::l2_distance<double>(ends[0].flat(), ends[1].flat());
        CHECK(std::abs(moved - whole * static_cast<double>(point) / 4) <= 1e-12 * whole);
    }
    write(0, 4, ends.view().rows(0, 1), ends.view().rows(1, 1), again);
    CHECK(std::ranges::equal(out.flat(), again.flat()));
    write(1, 4, ends.view().rows(0, 1), ends.view().rows(1, 1), again);
    CHECK_FALSE(std::ranges::equal(out.flat(), again.flat()));
}

TEST_CASE("numbers of planted counts: plateau, jump and steepest tenth", "[sweep][polytopes]") {
    // twenty intervals; d jumps evenly in the middle four: t(.1) = .42, t(.9) = .58
    sweep::sign_change_counts found;
    found.gates.emplace_back().layer = 1;
    found.gates[0].gates = 10;
    found.grids = metrics::nested_grids(21);
    found.hamming = tensor::buffer<index, 3>({1, 2, 20});
    found.lengths = tensor::buffer<double, 3>({1, 2, 20});
    found.by_grid = tensor::buffer<index, 3>({1, 2, static_cast<index>(found.grids.size())});
    tensor::buffer<double, 2> distances({1, 21});
    for (index i = 0; i <= 20; ++i) distances(0, i) = std::clamp(static_cast<double>(i - 8) / 4, 0.0, 1.0);
    for (index i = 0; i < 20; ++i) {
        found.hamming(0, 1, i) = i == 9 ? 6 : i < 4 ? 1 : 0;
        found.lengths(0, 1, i) = i == 8 || i == 9 ? 3 : 1;
    }
    found.by_grid(0, 1, 0) = 10;
    found.by_grid(0, 1, found.by_grid.extent(2) - 1) = 4;
    auto const curves = sweep::transitions_of(paths::even_grid(0, 1, 21), distances, 0);
    auto const n = sweep::numbers_of(found, curves, 0, 2);
    auto const near = [](double a, double b) { return std::abs(a - b) <= 1e-12; };
    CHECK(near(n.mismatch[0], 0.4));
    CHECK(near(n.crossings[0], 1));
    CHECK(near(n.again[0], 0.6));
    CHECK(near(n.plateau[0], 0.4));
    CHECK(near(n.jump[0], 0.6));
    CHECK(near(n.density[0], (0.6 / 0.2) / (0.4 / 0.8)));  // middles .425 to .575: four intervals
    CHECK(near(n.steepest[0], 0.6));                       // the first two of the four
    CHECK(near(n.length[0], 6.0 / 24));
    CHECK(near(n.per_length[0], 1.0 / 24));
    // a pair whose output does not move is left out, whatever its gates do
    tensor::buffer<double, 2> two({2, 21});
    std::copy_n(distances.data(), 21, two.data());
    auto more = sweep::sign_change_counts{};
    more.gates = found.gates;
    more.hamming = tensor::buffer<index, 3>({2, 2, 20});
    more.lengths = tensor::buffer<double, 3>({2, 2, 20});
    more.by_grid = tensor::buffer<index, 3>({2, 2, 1});
    std::fill_n(more.hamming.data(), more.hamming.size(), index{1});
    auto const left = sweep::numbers_of(more, sweep::transitions_of(paths::even_grid(0, 1, 21), two, 0), 0, 2);
    CHECK(left.crossings[0] == 4);
    CHECK(std::isnan(left.crossings[1]));
    CHECK(std::isnan(left.mismatch[1]));
}

TEST_CASE("a denoiser of sparse features crosses its gates in the jump, nowhere on the plateaus",
          "[sweep][polytopes][toy]") {
    testing::sparse_denoiser const net{12, 2000, 7};
    index const steps = 401;
    auto const a = net.features[3].flat(), b = net.features[8].flat();
    double overlap = 0;
    for (std::size_t d = 0; d < a.size(); ++d) overlap += a[d] * b[d];
    sweep::sign_change_counts found;
    found.gates.emplace_back().gates = 12;
    found.grids = metrics::nested_grids(steps);
    found.hamming = tensor::buffer<index, 3>({1, 1, steps - 1});
    found.lengths = tensor::buffer<double, 3>({1, 1, steps - 1});
    found.by_grid = tensor::buffer<index, 3>({1, 1, static_cast<index>(found.grids.size())});
    tensor::buffer<double, 2> distances({1, steps});
    tensor::buffer<std::uint64_t, 2> codes({steps, 1});
    std::vector<double> first;
    for (index i = 0; i < steps; ++i) {
        std::vector<double> x(a.size());
        paths::linear<double>{a, b}(paths::grid_fraction(i, steps), std::span{x});
        auto const y = net(x), z = net.gates(x);
        if (i == 0) first = y;
        distances(0, i) = metrics::l2_distance<double>(first, y);
        for (std::size_t j = 0; j < z.size(); ++j) codes(i, 0) |= std::uint64_t{z[j] > 0} << j;
    }
    auto const changes = metrics::sign_changes_along(codes);
    std::copy(changes.begin(), changes.end(), found.hamming.data());
    CHECK(total(changes) == 2);
    // ⟨w_a, x⟩ = 1 − α (1 − c) falls below θ where ⟨w_b, x⟩ = c + α (1 − c) has risen above it, c = ⟨w_a, w_b⟩
    double const off = (1 - net.threshold) / (1 - overlap), on = (net.threshold - overlap) / (1 - overlap);
    for (double const place : {off, on}) CHECK(changes[static_cast<std::size_t>(place * (steps - 1))] == 1);
    auto const curves = sweep::transitions_of(paths::even_grid(0, 1, steps), distances, 0);
    auto const n = sweep::numbers_of(found, curves, 0, 1);
    CHECK(n.plateau[0] == 0);
    CHECK_THAT(n.jump[0], testing::WithinAbs(2.0 / 12, 1e-12));
    // until b leaves its flat part, at c + α (1 − c) = θ − s / 2, nothing moves
    double const begin = (net.threshold - net.ramp / 2 - overlap) / (1 - overlap);
    CHECK(begin > 0.25);
    for (index i = 0; i < steps; ++i) CHECK((paths::grid_fraction(i, steps) > begin) == (distances(0, i) > 1e-12));
}

TEST_CASE("what cannot be counted is refused", "[sweep][polytopes][errors]") {
    auto const model = random_model<float>(9)(1);
    auto const exact_at = [&](std::string const& site, std::string const& path) {
        sweep::polytopes_options o{.along = {.write = site, .path = path}, .exact = true};
        return sweep::find_polytopes(model, prompts, pairs, o);
    };
    CHECK_THROWS_WITH(sweep::gates_behind(model.sites(), "blocks.2.hook_mlp_out"), contains("write earlier"));
    CHECK_THROWS_AS(sweep::count_sign_changes(model, prompts, pairs, {.steps = 1}), usage_error);
    auto without = model.sites();  // MLPs of one's own, that list no gates
    std::erase_if(without, [](hooks::site const& one) { return one.id == hooks::site_id::mlp_pre; });
    CHECK_THROWS_WITH(sweep::gates_behind(without, "hook_embed"), contains("if this model has any"));
    CHECK_THROWS_WITH(exact_at("blocks.0.hook_resid_post", "slerp"), contains("straight lines"));
    CHECK_THROWS_WITH(exact_at("blocks.1.attn.hook_z", "linear"), contains("residual stream"));
    CHECK_THROWS_AS(sweep::local_complexity(model, prompts, {}), usage_error);
    CHECK_THROWS_AS(sweep::local_complexity(model, prompts, {.radii = {0.0}}), usage_error);
    CHECK_THROWS_AS(sweep::local_complexity(model, prompts, {.radii = {0.1}, .directions = 25}), usage_error);
}

}  // namespace
