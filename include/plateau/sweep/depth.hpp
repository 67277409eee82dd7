#pragma once
/// Depth: transitions by the block after which points are written, and by the block after which they are read.

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// The residual stream after a block.
inline std::string after_block(index layer) { return concat({"blocks.", layer, ".hook_resid_post"}); }

/// What was measured at each of some blocks.
struct depth_series {
    std::vector<index> layers = {};
    std::vector<transitions> curves = {};

    void add(index layer, transitions measured) {
        layers.push_back(layer);
        curves.push_back(std::move(measured));
    }

    /// Medians over pairs, with their intervals, of one number of each block:
    ///     medians(design, &transitions::width)
    std::vector<statistics::estimate> medians(pair_design const& design,
                                              std::vector<double> transitions::*number) const {
        std::vector<statistics::estimate> all;
        for (auto const& one : curves) all.push_back(design.median(one.*number));
        return all;
    }
};

/// Straight lines of one study. Pairs with d(1) <= min_d1 have no numbers.
struct line_study {
    prompt_list const& prompts;
    std::vector<prompt_pair> const& pairs;
    index steps;
    double min_d1 = 0;
};

/// Written after each of `layers` in turn, read at where.read.
/// @throws as interpolate; numeric_error where a read-out is not finite, or every pair of a layer is degenerate
template <class T>
depth_series by_write_layer(model<T> const& model, line_study const& lines, std::vector<index> const& layers,
                            setup where) {
    depth_series all;
    for (index const layer : layers) {
        where.write = after_block(layer);
        auto const curves = interpolate(model, lines.prompts, lines.pairs, lines.steps, where);
        require_finite(curves.distances, where.read);
        all.add(layer, transitions_of(curves.alpha, curves.distances, lines.min_d1));
    }
    return all;
}

/// Written after one block and read after every later one of the same sweep; nothing of the last block.
/// @throws as by_write_layer
template <class T>
depth_series by_read_layer(model<T> const& model, line_study const& lines, index written, setup where) {
    depth_series all;
    index const later = model.layers() - 1 - written;
    if (later <= 0) return all;
    std::vector<tensor::buffer<double, 2>> distances;
    for (index k = 0; k < later; ++k)
        distances.emplace_back(std::array<index, 2>{static_cast<index>(lines.pairs.size()), lines.steps});
    hooks::hook_set<T> reads;
    for (index k = 0; k + 1 < later; ++k)
        reads = reads | engine::read_distances<T>(after_block(written + 1 + k), distances[static_cast<std::size_t>(k)]);
    where.write = after_block(written), where.read = after_block(written + later);
    auto curves = interpolate(model, lines.prompts, lines.pairs, lines.steps, where, reads);
    distances.back() = std::move(curves.distances);
    for (index k = 0; k < later; ++k) {
        auto const& of_layer = distances[static_cast<std::size_t>(k)];
        require_finite(of_layer, after_block(written + 1 + k));
        all.add(written + 1 + k, transitions_of(curves.alpha, of_layer, lines.min_d1));
    }
    return all;
}

}  // namespace plateau::sweep
