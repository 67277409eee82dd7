#pragma once
/// Distances over surfaces of activations, from what each prompt's own run reads out.

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <plateau/paths/grid.hpp>
#include <plateau/sweep/distance_curves.hpp>

namespace plateau::sweep {

/// Writes the point (u, v) of the surface of one context, by its number among the contexts, to out [width]. Called
/// concurrently.
template <class T>
using surface_writer = std::function<void(index context, double u, double v, std::span<T> out)>;

/// Where surfaces are written and where their effect is read: at every context's last position.
struct surface_options {
    std::string write = "blocks.0.hook_resid_post";
    std::string read = "ln_final.hook_out";
    index block_rows = 0;  ///< rows that travel together, 0: as suits the backend; no result depends on it
    std::function<void(index)> on_points = {};  ///< called with the number of points just finished, concurrently
};

/// d_k(u, v) = ‖F_k(A_k) − F_k(x_k(u, v))‖₂: A_k is the activation at the write site of context k's own run, F_k its
/// read-out, both at its last position, x_k(u, v) the point that `surface` writes. A_k runs as a point among the
/// others: where x_k(u, v) = A_k the distance is exactly 0.
/// @param contexts  [K] numbers of prompts      @param also  what else to read. Its hooks see context k as item k, its
///                  own run as point 0, the point of grid number i as point 1 + i
/// @return [K, rows, columns]; the only thing that grows with the grid
/// @throws usage_error (no contexts, an empty grid, unusable prompts), site_error, numeric_error; what `surface` throws
template <class Context, class Model>
[[gnu::cold]] tensor::buffer<double, 3> surface_distances(
    Context const& ctx, Model const& model, models::prompt_list const& prompts, std::vector<index> const& contexts,
    paths::surface_grid const& grid, surface_writer<typename Model::value_type> const& surface,
    surface_options const& options, hooks::hook_set<typename Model::value_type> const& also = {}) {
    using T = typename Model::value_type;
    if (grid.size() == 0) throw usage_error("the grid of a surface has no points");
    std::vector<prompt_pair> pairs;
    for (index const prompt : contexts) pairs.push_back({prompt, prompt});
    tensor::buffer<double, 2> found({static_cast<index>(contexts.size()), 1 + grid.size()});
    patched_rows_options sweep;
    sweep.write_site = options.write;
    sweep.points = 1 + grid.size();
    sweep.block_rows = options.block_rows;
    sweep.on_points = options.on_points;
    auto const read = hooks::find_site(model.sites(), options.read);
    patched_rows<Context, Model> engine{ctx, model, prompts, std::move(sweep)};
    engine.run(
        pairs,
        [&](index context, index point, tensor::view<T const, 2> own, tensor::view<T const, 2>,
            tensor::view<T, 2> out) {
        if (point == 0) {
            std::copy_n(own.data(), own.size(), out.data());
        } else {
            auto const [u, v] = grid[point - 1];
            surface(context, u, v, out.flat());
        }
        },
        also | read_distances<T>(ctx, read.name(), found));
    tensor::buffer<double, 3> distances({static_cast<index>(contexts.size()), grid.rows(), grid.columns()});
    for (index k = 0; k < distances.extent(0); ++k) std::copy_n(found[k].data() + 1, grid.size(), distances[k].data());
    return distances;
}

}  // namespace plateau::sweep
