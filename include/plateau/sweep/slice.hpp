#pragma once
/// 2-D slices: the plane through three activations, seen from the prompts they are of.

#include <array>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/paths/plane.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/surfaces.hpp>

namespace plateau::sweep {

/// Distances over the plane through the activations A, B, C of three prompts.
struct plane_slice {
    tensor::buffer<double, 3> distances;  ///< [3, rows, columns]: d_A, d_B, d_C, each in the context of that prompt
    std::array<std::array<double, 2>, 3> anchors;  ///< (α, β) of A, B, C: (0, 0), (1, 0), (t, 1)
};

/// d_A(α, β) = ‖F_A(A) − F_A(x(α, β))‖₂ in the context of A's prompt, d_B and d_C likewise: three passes over
///     x(α, β) = A + α (B − A) + β (C − P),   P = the foot of C on the line through A and B
/// with A, B, C the activations at the write site and the prompts' last positions.
/// @param anchors  numbers of three prompts      @param grid  α along u, β along v; published: both −0.25 to 1.25, 61
/// points
/// @param also     as in `surface_distances`: contexts A, B, C are items 0, 1, 2
/// @throws domain_error if the three activations do not span a plane; those of surface_distances
/// @post 0 where the grid holds an anchor of its own context
/// @see Janiak et al. 2024, figure 1 and appendix; `paths::plane`
template <class T>
plane_slice slice(model<T> const& model, prompt_list const& prompts, std::array<index, 3> const& anchors,
                  paths::surface_grid const& grid, engine::setup const& setup = {},
                  hooks::hook_set<T> const& also = {}) {
    prompt_list chosen;
    for (index const i : anchors) {
        if (i < 0 || i >= static_cast<index>(prompts.size()))
            throw usage_error("an anchor is prompt ", i, ", there are ", prompts.size(), ", counted from 0");
        chosen.push_back(prompts[static_cast<std::size_t>(i)]);
    }
    auto const clean = last_activations(model, chosen, setup.write);
    paths::plane<T> const plane{clean[0].flat(), clean[1].flat(), clean[2].flat()};
    auto const surface = [&](index, double u, double v, std::span<T> out) { plane(u, v, out); };
    return {surface_distances(model, chosen, {0, 1, 2}, grid, surface, setup, also), plane.anchors()};
}

PLATEAU_COMPILED_FUNCTION(slice);

}  // namespace plateau::sweep
