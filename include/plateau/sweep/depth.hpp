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

/// d(α) of pairs after each of some blocks.
struct layer_curves {
    std::vector<double> alpha;                         ///< [S]
    std::vector<tensor::buffer<double, 2>> distances;  ///< [P,S] by block

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.alpha, -1), visit(self.distances);
    }
};

/// Written after one block and read after every later one in one sweep. @pre it is not the last block
/// @throws as interpolate; numeric_error where a read-out is not finite
template <class T>
layer_curves curves_by_read_layer(model<T> const& model, line_study const& lines, index written, setup where) {
    layer_curves all;
    index const later = model.layers() - 1 - written;
    for (index k = 0; k < later; ++k)
        all.distances.emplace_back(std::array<index, 2>{static_cast<index>(lines.pairs.size()), lines.steps});
    hooks::hook_set<T> reads;
    for (index k = 0; k + 1 < later; ++k) {
        auto& of_layer = all.distances[static_cast<std::size_t>(k)];
        reads = reads | engine::read_distances<T>(after_block(written + 1 + k), of_layer);
    }
    where.write = after_block(written), where.read = after_block(written + later);
    auto curves = interpolate(model, lines.prompts, lines.pairs, lines.steps, where, reads);
    all.alpha = std::move(curves.alpha), all.distances.back() = std::move(curves.distances);
    for (index k = 0; k < later; ++k)
        require_finite(all.distances[static_cast<std::size_t>(k)], after_block(written + 1 + k));
    return all;
}

/// The transitions of blocks `first`, first + 1, … @throws numeric_error if every pair of a layer is degenerate
inline depth_series series_of(layer_curves const& curves, index first, double min_d1) {
    depth_series all;
    for (auto const& of_layer : curves.distances) all.add(first++, transitions_of(curves.alpha, of_layer, min_d1));
    return all;
}

/// Written after one block and read after every later one of the same sweep; nothing of the last block.
/// @throws as by_write_layer
template <class T>
depth_series by_read_layer(model<T> const& model, line_study const& lines, index written, setup const& where) {
    if (written + 1 >= model.layers()) return {};
    return series_of(curves_by_read_layer(model, lines, written, where), written + 1, lines.min_d1);
}

}  // namespace plateau::sweep
