#pragma once
/// Label slices: a 2-D slice with the likeliest next token at every point, and what is said of both.

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/table.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/metrics/boundary_fraction.hpp>
#include <plateau/metrics/label_map.hpp>
#include <plateau/sweep/at_once.hpp>
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

/// Rows of the grids of slices, those of one below those of the one before.
struct slice_rows {
    tensor::buffer<double, 3> distances;     ///< [3, rows, G]
    tensor::buffer<index, 3> labels = {};    ///< the same of likeliest next tokens, or none
    tensor::buffer<double, 3> anchors = {};  ///< [rows, 3, 2] of its slice

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.distances, 1), visit(self.labels, 1), visit(self.anchors);
    }
};

namespace detail {

/// Copies rows [first, first + count) of the grids of three contexts.
template <class V>
void copy_rows(tensor::buffer<V, 3> const& from, index first, index count, tensor::buffer<V, 3>& to, index at) {
    index const columns = from.extent(2);
    for (index k = 0; k < from.extent(0); ++k)
        std::copy_n(from[k].data() + first * columns, count * columns, to[k].data() + at * columns);
}

}  // namespace detail

/// Rows [first, first + count) of slices. @param labels  whether to read them too
/// @throws as slice; numeric_error of require_finite
template <class T>
slice_rows rows_of_slices(model<T> const& model, prompt_list const& prompts,
                          std::span<std::array<index, 3> const> slices, paths::surface_grid const& grid,
                          engine::setup const& setup, bool labels, index first, index count) {
    slice_rows all{tensor::buffer<double, 3>({3, count, grid.columns()})};
    all.anchors = tensor::buffer<double, 3>({count, 3, 2});
    if (labels) all.labels = tensor::buffer<index, 3>({3, count, grid.columns()});
    for (index at = 0; at < count;) {
        index const row = (first + at) % grid.rows(), here = std::min(count - at, grid.rows() - row);
        paths::surface_grid const part{grid.u, {grid.v.begin() + row, grid.v.begin() + row + here}};
        auto predictions = labels ? engine::predictions<T>{3, 1 + part.size(), 1} : engine::predictions<T>{};
        auto const also = labels ? engine::read_predictions(model.engine(), predictions) : hooks::hook_set<T>{};
        auto const& anchors = slices[static_cast<std::size_t>((first + at) / grid.rows())];
        auto const one = slice(model, prompts, anchors, part, setup, also);
        require_finite(one.distances, part, setup.read);
        detail::copy_rows(one.distances, 0, here, all.distances, at);
        for (index k = 0; k < 3 && labels; ++k) {
            auto* const to = all.labels[k].data() + at * grid.columns();
            for (index i = 0; i < part.size(); ++i) to[i] = predictions.best(k, 1 + i, 0).token;
        }
        for (index const end = at + here; at < end; ++at)
            std::copy_n(one.anchors.front().data(), 6, all.anchors[at].data());
    }
    return all;
}

/// What is said of one of the slices whose rows are known. @param number  of it
inline label_slice slice_of(slice_rows const& all, std::array<index, 3> const& anchors, index number,
                            paths::surface_grid const& grid) {
    index const rows = grid.rows(), first = number * rows;
    label_slice one;
    one.anchors = anchors;
    for (index i = 0; i < 6; ++i)
        one.slice.anchors[static_cast<std::size_t>(i / 2)][static_cast<std::size_t>(i % 2)] =
            all.anchors(first, i / 2, i % 2);
    one.slice.distances = tensor::buffer<double, 3>({3, rows, grid.columns()});
    detail::copy_rows(all.distances, first, rows, one.slice.distances, 0);
    for (std::size_t k = 0; k < 3; ++k) {
        auto const flat = one.slice.distances[static_cast<index>(k)].flat();
        one.largest[k] = *std::max_element(flat.begin(), flat.end());
    }
    if (all.labels.size() == 0) return one;
    one.labels = tensor::buffer<index, 3>({3, rows, grid.columns()});
    detail::copy_rows(all.labels, first, rows, one.labels, 0);
    for (index k = 0; k < 3; ++k) {
        auto const map = tensor::view<index const, 2>(one.labels[k]);
        one.components[static_cast<std::size_t>(k)] = metrics::regions_of(map).count();
        one.boundary[static_cast<std::size_t>(k)] = metrics::boundary_fraction(map);
    }
    return one;
}

/// Slices through several triples of prompts. @param labels  whether to read them too
/// @param sweep  of the rows of all grids, one call or several      @throws as slice; numeric_error of require_finite
template <class T, class Sweep = at_once>
std::vector<label_slice> slices_with_labels(model<T> const& model, prompt_list const& prompts,
                                            std::vector<std::array<index, 3>> const& slices,
                                            paths::surface_grid const& grid, engine::setup const& setup, bool labels,
                                            Sweep const& sweep = {}) {
    if (grid.size() == 0) throw usage_error("the grid of a surface has no points");
    auto const rows = sweep(std::ssize(slices) * grid.rows(), [&](index first, index count) {
        return rows_of_slices(model, prompts, slices, grid, setup, labels, first, count);
    });
    std::vector<label_slice> all;
    for (std::size_t i = 0; i < slices.size(); ++i)
        all.push_back(slice_of(rows, slices[i], static_cast<index>(i), grid));
    return all;
}

}  // namespace plateau::sweep
