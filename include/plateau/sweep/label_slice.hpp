#pragma once
/// Label slices: a 2-D slice with the likeliest next token at every point, and what is said of both.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <plateau/core/table.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/boundary_fraction.hpp>
#include <plateau/metrics/label_map.hpp>
#include <plateau/sweep/slice.hpp>

namespace plateau::sweep {

/// A slice through prompts A, B, C, one number each in their contexts.
struct label_slice {
    std::array<index, 3> anchors{};     ///< numbers of A, B, C
    plane_slice slice = {};             ///< [3, G, G]
    tensor::buffer<index, 3> labels;    ///< [3, G, G] likeliest next tokens, or nothing
    std::array<double, 3> largest{};    ///< distance
    std::array<index, 3> components{};  ///< connected regions of equal labels
    std::array<double, 3> boundary{};   ///< share of neighbouring points whose labels differ
};

/// @throws numeric_error that names the context, A, B or C, and the place where a distance is infinite or NaN
inline void require_finite(tensor::buffer<double, 3> const& distances, paths::surface_grid const& grid,
                           std::string const& site) {
    for (index k = 0; k < distances.extent(0); ++k) {
        for (index i = 0; i < grid.size(); ++i) {
            if (std::isfinite(distances[k].data()[i])) continue;
            throw numeric_error("the read-out at ", site, " is not finite in the context of prompt ",
                                std::string(1, "ABC"[k]), " at (", fixed(grid[i][0], 4), ", ", fixed(grid[i][1], 4),
                                "): check the weights, or compute with a wider dtype");
        }
    }
}

/// @param labels  whether to read them too      @throws as slice; numeric_error of require_finite
template <class T>
label_slice slice_with_labels(model<T> const& model, prompt_list const& prompts, std::array<index, 3> const& anchors,
                              paths::surface_grid const& grid, engine::setup const& setup, bool labels) {
    engine::predictions<T> predictions;
    hooks::hook_set<T> also;
    if (labels) {
        predictions = {3, 1 + grid.size(), 1};
        also = engine::read_predictions(model.engine(), predictions);
    }
    label_slice one;
    one.anchors = anchors;
    one.slice = slice(model, prompts, anchors, grid, setup, also);
    require_finite(one.slice.distances, grid, setup.read);
    for (std::size_t k = 0; k < 3; ++k) {
        auto const flat = one.slice.distances[static_cast<index>(k)].flat();
        one.largest[k] = *std::max_element(flat.begin(), flat.end());
    }
    if (!labels) return one;
    one.labels = tensor::buffer<index, 3>({3, grid.rows(), grid.columns()});
    for (index k = 0; k < 3; ++k) {
        for (index i = 0; i < grid.size(); ++i) one.labels[k].data()[i] = predictions.best(k, 1 + i, 0).token;
        auto const map = tensor::view<index const, 2>(one.labels[k]);
        one.components[static_cast<std::size_t>(k)] = metrics::regions_of(map).count();
        one.boundary[static_cast<std::size_t>(k)] = metrics::boundary_fraction(map);
    }
    return one;
}

}  // namespace plateau::sweep
