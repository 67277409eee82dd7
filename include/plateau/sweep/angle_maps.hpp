#pragma once
/// Responses over two angles: how far the output goes when activations are turned towards two directions at fixed norm.

#include <span>
#include <type_traits>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/paths/exp_map.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/surfaces.hpp>

namespace plateau::sweep {

/// d_k(α₁, α₂) = ‖F_k(A_k) − F_k(x_k(α₁, α₂))‖₂, x_k the exponential map at A_k towards the two directions: A_k is
/// turned by |(α₁, α₂)| at its own norm, in the run of anchor k, at the write site and last position.
/// @param anchors  K prompts      @param d1,d2  [width] of the write site; what of them is orthogonal to A_k, and of d2
/// to d1 too, counts
/// @param grid     α₁ along u, α₂ along v, radians; published: both 0 to 60 degrees, 31 points
/// @return [K, rows, columns]; 0 at (0, 0)
/// @throws shape_error if a direction has another width; domain_error naming the anchor that a direction is parallel
///         to; those of surface_distances
/// @see da Silva & Heimersheim 2026, arXiv 2606.24964; `paths::exp_surface`, `metrics::iso_response_of`
template <class T>
tensor::buffer<double, 3> angle_maps(model<T> const& model, prompt_list const& anchors,
                                     std::type_identity_t<std::span<T const>> d1,
                                     std::type_identity_t<std::span<T const>> d2, paths::surface_grid const& grid,
                                     engine::setup const& setup = {}) {
    auto const clean = last_activations(model, anchors, setup.write);
    std::vector<paths::exp_surface<T>> charts;
    std::vector<index> contexts;
    for (index k = 0; k < clean.extent(0); ++k) {
        try {
            charts.emplace_back(std::span<T const>{clean[k].flat()}, d1, d2);
        } catch (domain_error const& problem) {
            throw domain_error("anchor ", k, ": ", problem.what());
        }
        contexts.push_back(k);
    }
    return surface_distances(
        model, anchors, contexts, grid,
        [&](index k, double u, double v, std::span<T> out) { charts[static_cast<std::size_t>(k)](u, v, out); }, setup);
}

PLATEAU_COMPILED_FUNCTION(angle_maps);

}  // namespace plateau::sweep
