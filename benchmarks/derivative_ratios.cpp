// What derivatives cost beside rows, each figure the median of some rounds in which what is compared runs in turn:
//
//     derivative_ratios MODEL TOKENS.npy [--pairs 20] [--points 50] [--threads 2] [--rounds 5] [--on-demand RESULTS]
//
// The work of peers/compare_derivatives.py, which asks for round after round: the residual stream after block 0 at the
// last token of prompt i becomes A + α (B − A); J (B − A) and Jᵀv of the final norm's output at every point, v_j =
// cos(j²).

#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <plateau/core/core_affinity.hpp>
#include <plateau/core/table.hpp>
#include <plateau/engine/load.hpp>
#include <plateau/engine/local_jacobians.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/prompt_files.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "timing.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::fixed;
using plateau::index;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
namespace tensor = plateau::tensor;

struct task {
    plateau::model<float> model;
    plateau::prompt_list prompts;
    index pairs = 20, points = 50;

    std::vector<engine::prompt_pair> chain(index count) const {
        std::vector<engine::prompt_pair> all;
        for (index i = 0; i < count; ++i) all.push_back({i, i + 1});
        return all;
    }
};

double rows(task const& t, index pairs, index points) {
    return wall_seconds([&] {
        plateau::sweep::distances_along<float>(t.model, t.prompts, t.chain(pairs),
                                               plateau::paths::even_grid(0, 1, points),
                                               plateau::sweep::straight_lines<float>(points));
    });
}

/// Of k tangents B − A behind every point. @param norms  [pairs, points] of the last of them
double tangents(task const& t, index pairs, index points, index k, tensor::buffer<double, 2>* norms = nullptr) {
    engine::tangent_request<float> what;
    what.count = k;
    what.set.assign(static_cast<std::size_t>(k), 0);
    what.start = [](index, index, index, auto from, auto to, auto out) {
        for (index d = 0; d < out.extent(1); ++d) out(0, d) = to(0, d) - from(0, d);
    };
    what.reads = hooks::capture<float>("ln_final.hook_out", [&](hooks::rows_at<float>& here) {
        auto const seen = here.read();
        for (index i = 0; i < here.count(); ++i) {
            auto const& id = here.rows[static_cast<std::size_t>(i)];
            double const norm = std::sqrt(tensor::dot(seen[i].flat(), seen[i].flat()));
            if (norms != nullptr) (*norms)(id.item, id.point) = norm;
        }
    });
    return wall_seconds([&] {
        engine::carry_tangents<float>(t.model.engine(), t.prompts, t.chain(pairs),
                                      {points, plateau::sweep::straight_lines<float>(points)}, what);
    });
}

/// Of k cotangents behind every point, in so much memory.
double cotangents(task const& t, index pairs, index points, index k, index bytes,
                  tensor::buffer<double, 2>* norms = nullptr) {
    engine::cotangent_request<float> what;
    what.count = k;
    what.set.assign(static_cast<std::size_t>(k), 0);
    what.kept_bytes = bytes;
    what.start = [](index, index, index, std::span<float> out) {
        for (std::size_t j = 0; j < out.size(); ++j) out[j] = std::cos(static_cast<float>(j * j));
    };
    what.take = [&](index pair, index point, index, tensor::view<float const, 2> g) {
        if (norms != nullptr) (*norms)(pair, point) = std::sqrt(tensor::dot(g[0].flat(), g[0].flat()));
    };
    return wall_seconds([&] {
        engine::carry_cotangents<float>(t.model.engine(), t.prompts, t.chain(pairs),
                                        {points, plateau::sweep::straight_lines<float>(points)}, what);
    });
}

constexpr index plenty = index{1} << 40;

/// Answers every line of standard input with the points per second of a round.
void serve(task const& t, std::string const& results) {
    tensor::buffer<double, 2> forwards({t.pairs, t.points}), backwards({t.pairs, t.points});
    tangents(t, t.pairs, t.points, 1, &forwards);
    cotangents(t, t.pairs, t.points, 1, plenty, &backwards);
    plateau::io::write_npy(results + ".jvp.npy", forwards.flat(), {t.pairs, t.points});
    plateau::io::write_npy(results + ".vjp.npy", backwards.flat(), {t.pairs, t.points});
    std::printf("{\"ready\": true}\n"), std::fflush(stdout);
    double const count = static_cast<double>(t.pairs * t.points);
    for (std::string line; std::getline(std::cin, line);) {
        std::printf("{\"jvp\": %g, \"vjp\": %g}\n", count / tangents(t, t.pairs, t.points, 1),
                    count / cotangents(t, t.pairs, t.points, 1, plenty));
        std::fflush(stdout);
    }
}

void print_ratios(task const& t, int rounds) {
    struct figure {
        std::string name;
        double gate;
        std::vector<double> ratios = {};
    };
    std::vector<figure> all;
    std::vector<std::string> names;
    auto const add = [&](std::size_t number, std::string name, double gate, double ratio) {
        if (all.size() <= number) all.push_back({std::move(name), gate});
        all[number].ratios.push_back(ratio);
    };
    cotangents(t, 1, 2, 1, plenty);  // packs what they take
    index const width = t.model.width();
    std::vector<std::array<index, 3>> const works{{1, t.pairs, t.points}, {16, t.pairs, 6}, {width, 2, 2}};
    for (int round = 0; round < rounds; ++round) {
        std::fprintf(stderr, "round %d of %d\n", round + 1, rounds);
        std::size_t number = 0;
        for (auto const& [k, pairs, points] : works) {
            auto const as_rows = [&](index per_point) { return rows(t, pairs, points * per_point); };
            auto const what = std::to_string(k);
            add(number++, what + " tangents behind a point / k + 1 rows", 1.15,
                tangents(t, pairs, points, k) / as_rows(k + 1));
            add(number++, what + " cotangents / k + 1 rows", 1.2,
                cotangents(t, pairs, points, k, plenty) / as_rows(k + 1));
            add(number++, what + " cotangents, values computed again / k + 2 rows", 1.2,
                cotangents(t, pairs, points, k, 1) / as_rows(k + 2));
        }
        double const local =
            wall_seconds([&] { plateau::local_jacobians(t.model, t.prompts[0], {.write = "hook_resid_pre"}); });
        engine::setup const all_layers{.write = "blocks.0.hook_resid_pre"};
        double const as_rows = wall_seconds([&] {
            plateau::sweep::distances_along<float>(t.model, t.prompts, t.chain(1),
                                                   plateau::paths::even_grid(0, 1, width),
                                                   plateau::sweep::straight_lines<float>(width), all_layers);
        });
        add(number++, "local Jacobians of all blocks / D rows", 1.3, local / as_rows);
    }
    plateau::table table{{"", "measured", "gate"}};
    for (auto const& one : all) table.row({one.name, fixed(median(one.ratios), 2), fixed(one.gate, 2)});
    std::fputs(table.render().c_str(), stdout);
}

int run(std::vector<std::string> const& words) {
    if (words.size() < 2)
        throw plateau::usage_error(
            "derivative_ratios MODEL TOKENS.npy [--pairs N] [--points N] [--threads N] [--rounds N] "
            "[--on-demand RESULTS]");
    std::map<std::string, std::string> options{
        {"--pairs", "20"}, {"--points", "50"}, {"--threads", "2"}, {"--rounds", "5"}, {"--on-demand", ""}};
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        if (!options.contains(words[i])) throw plateau::usage_error("there is no option ", words[i]);
        options[words[i]] = words[i + 1];
    }
    int const threads = std::stoi(options["--threads"]);
    plateau::core_affinity const held{threads};
    task const t{plateau::load<float>(words[0], {.backend = {.threads = threads}}), plateau::io::read_tokens(words[1]),
                 std::stol(options["--pairs"]), std::stol(options["--points"])};
    if (std::ssize(t.prompts) <= t.pairs) throw plateau::usage_error(t.pairs, " pairs need one prompt more");
    if (!options["--on-demand"].empty()) serve(t, options["--on-demand"]);
    else print_ratios(t, std::stoi(options["--rounds"]));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "derivative_ratios: %s\n", problem.what());
        return 2;
    }
}
