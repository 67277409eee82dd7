#pragma once
/// Sign changes of the gates of every MLP along paths between activations.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/read/predictions.hpp>
#include <plateau/engine/read/sign_codes.hpp>
#include <plateau/engine/read/step_lengths.hpp>
#include <plateau/metrics/sign_changes.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/gate_sites.hpp>
#include <plateau/sweep/named_paths.hpp>
#include <plateau/sweep/next_tokens.hpp>
#include <plateau/sweep/random_lines.hpp>

namespace plateau::sweep {

struct sign_change_options {
    std::string write = "blocks.0.hook_resid_post";
    std::string read = "ln_final.hook_out";
    std::string path = "linear";               ///< one of path_names
    std::vector<double> path_mean = {};        ///< of path_mean_of, where it is known
    bool random_direction = false;             ///< straight lines of the same length in random directions instead
    std::uint64_t seed = 0;                    ///< of those
    index first_pair = 0;                      ///< number of the first pair, of which random directions are made
    index steps = 50;                          ///< points of a pair, α = i / (steps − 1)
    std::function<void(index)> progress = {};  ///< told of points; called concurrently
};

/// P pairs, L blocks, S points, G nested grids. Gates are the arguments of an MLP's activation, at the last position;
/// a sign is positive or not. Blocks before the write site have zeros.
struct sign_change_counts {
    distance_curves curves;             ///< d(α)
    std::vector<index> labels = {};     ///< [P,S] the likeliest next token
    std::vector<gate_site> gates = {};  ///< of the blocks behind the write site
    std::vector<index> grids = {};      ///< [G] intervals of even grids within this one, from S − 1 down to 1
    tensor::buffer<index, 3> hamming;   ///< [P,L,S − 1] gates whose sign differs at both ends of an interval
    tensor::buffer<index, 3> by_grid;   ///< [P,L,G] sign changes from point to point of each grid, summed
    tensor::buffer<double, 3> lengths;  ///< [P,L,S − 1] how far what the MLP reads moves, before its norm

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {  // all but the gates, which are the model's
        distance_curves::each_array(self.curves, visit);
        visit(self.labels), visit(self.grids, -1);
        visit(self.hamming), visit(self.by_grid), visit(self.lengths);
    }

    index pairs() const { return hamming.extent(0); }
    index layers() const { return hamming.extent(1); }
    /// Gates whose sign differs between α = 0 and 1.
    index mismatch(index pair, index layer) const { return by_grid(pair, layer, by_grid.extent(2) - 1); }
    /// [P,L]
    std::vector<index> mismatches() const {
        std::vector<index> all;
        for (index p = 0; p < pairs(); ++p) {
            for (index l = 0; l < layers(); ++l) all.push_back(mismatch(p, l));
        }
        return all;
    }
};

/// Moves each pair's activation from A to B in the context's run, and counts sign changes of every gate behind.
/// @throws as distances_along, gates_behind; usage_error if steps < 2; numeric_error where a read-out is not finite
/// @see Janiak et al. 2024, appendix F (mismatch at one layer); Black et al. 2022, arXiv 2211.12312; Shinkle &
///      Heimersheim 2025 (per unit of what moves before the MLP)
template <class T>
sign_change_counts count_sign_changes(model<T> const& model, prompt_list const& prompts,
                                      std::vector<prompt_pair> const& pairs, sign_change_options const& o) {
    auto const count = static_cast<index>(pairs.size()), layers = static_cast<index>(model.layers());
    sign_change_counts all;
    all.grids = metrics::nested_grids(o.steps);
    all.gates = gates_behind(model.sites(), o.write);
    all.hamming = tensor::buffer<index, 3>({count, layers, o.steps - 1});
    all.by_grid = tensor::buffer<index, 3>({count, layers, static_cast<index>(all.grids.size())});
    all.lengths = tensor::buffer<double, 3>({count, layers, o.steps - 1});

    // what is read of each block: its gates' codes, and how far the MLP's input moves
    auto predictions = engine::predictions<T>(count, o.steps, 1);
    auto reads = engine::read_predictions(model.engine(), predictions);
    for (auto const& gate : all.gates) {
        auto const take = [&all, layer = gate.layer](index pair, tensor::view<std::uint64_t const, 2> codes) {
            auto const of_grid = all.by_grid[pair][layer].flat();
            for (std::size_t g = 0; g < of_grid.size(); ++g) {
                auto const changes = metrics::sign_changes_along(codes, (codes.extent(0) - 1) / all.grids[g]);
                for (index const one : changes) of_grid[g] += one;
                if (g == 0) std::copy(changes.begin(), changes.end(), all.hamming[pair][layer].data());
            }
        };
        auto const& lengths = all.lengths;
        tensor::view<double, 2> const of_layer{
            all.lengths.data() + gate.layer * (o.steps - 1), {count, o.steps - 1}, {layers * lengths.extent(2), 1}};
        reads = reads | engine::read_step_lengths<T>(gate.reads, of_layer) | engine::read_sign_codes<T>(gate.pre, take);
    }

    // one sweep for all of it
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    engine::setup const where{.write = o.write, .read = o.read, .progress = o.progress};
    all.curves = distances_along(model, prompts, pairs, paths::even_grid(0, 1, o.steps),
                                 o.random_direction ? random_lines<T>(o.steps, o.seed, o.first_pair) : along.points,
                                 where, reads);
    all.labels = next_tokens_of(std::move(predictions)).tokens;
    return all;
}

}  // namespace plateau::sweep
