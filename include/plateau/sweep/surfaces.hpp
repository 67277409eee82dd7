#pragma once
/// Distances over surfaces of activations, from what each prompt's own run reads out.

#include <algorithm>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/sweep/curves.hpp>

namespace plateau::sweep {

/// Writes the point (u, v) of the surface of one context, by its number among the contexts, to out [width]. Called
/// concurrently.
template <class T>
using surface_writer = std::function<void(index context, double u, double v, std::span<T> out)>;

/// d_k(u, v) = ‖F_k(A_k) − F_k(x_k(u, v))‖₂: A_k is the activation at the write site of context k's own run, F_k its
/// read-out, both at its last position, x_k(u, v) the point that `surface` writes. A_k runs as a point among the
/// others: where x_k(u, v) = A_k the distance is exactly 0.
/// @param contexts  [K] numbers of prompts      @param also  what else to read. Its hooks see context k as item k, its
///                  own run as point 0, the point of grid number i as point 1 + i
/// @return [K, rows, columns]; the only thing that grows with the grid
/// @throws usage_error (no contexts, an empty grid, unusable prompts), site_error, numeric_error; what `surface` throws
template <class T>
tensor::buffer<double, 3> surface_distances(model<T> const& model, prompt_list const& prompts,
                                            std::vector<index> const& contexts, paths::surface_grid const& grid,
                                            std::type_identity_t<surface_writer<T>> const& surface,
                                            engine::setup const& setup = {}, hooks::hook_set<T> const& also = {}) {
    if (grid.size() == 0) throw usage_error("the grid of a surface has no points");
    std::vector<engine::prompt_pair> pairs;
    for (index const prompt : contexts) pairs.push_back({prompt, prompt});
    tensor::buffer<double, 2> found({static_cast<index>(contexts.size()), 1 + grid.size()});
    auto const read = hooks::find_site(model.sites(), setup.read);
    engine::point_writer<T> const write = [&](index context, index point, tensor::view<T const, 2> own,
                                              tensor::view<T const, 2>, tensor::view<T, 2> out) {
        if (point == 0) {
            std::copy_n(own.data(), own.size(), out.data());
        } else {
            auto const [u, v] = grid[point - 1];
            surface(context, u, v, out.flat());
        }
    };
    engine::patched_rows<T> rows{model.engine(), prompts, 1 + grid.size(), setup};
    rows.run(pairs, write, also | engine::read_distances<T>(read.name(), found));
    tensor::buffer<double, 3> distances({static_cast<index>(contexts.size()), grid.rows(), grid.columns()});
    for (index k = 0; k < distances.extent(0); ++k) std::copy_n(found[k].data() + 1, grid.size(), distances[k].data());
    return distances;
}

PLATEAU_COMPILED_FUNCTION(surface_distances);

}  // namespace plateau::sweep
