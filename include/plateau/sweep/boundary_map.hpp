#pragma once
/// Boundary maps: distances over the plane through two activations and the mean of all.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/table.hpp>
#include <plateau/metrics/jump_prediction.hpp>
#include <plateau/paths/plane.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/at_once.hpp>
#include <plateau/sweep/label_slice.hpp>

namespace plateau::sweep {

struct boundary_map {
    paths::surface_grid grid = {};             ///< α along u from 0 to 1, β along v from −1 to 1
    tensor::buffer<double, 3> distances = {};  ///< [2, G, G] in the contexts of A and B
    double alpha_mean = 0;                     ///< α of the foot of the mean on AB
    double alpha_jump = 0;                     ///< α where the bisector of the angle at the mean meets AB

    /// What it says, on one line; nothing of no map.
    std::string text() const {
        if (distances.size() == 0) return "";
        return concat({"boundary: mean at alpha ", fixed(alpha_mean, 3), ", jump predicted at alpha ",
                       fixed(alpha_jump, 3), "\n"});
    }
};

/// Rows of its grid, [2, rows, G].
struct boundary_rows {
    tensor::buffer<double, 3> distances;

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.distances, 1);
    }
};

/// x(α, β) = A + α (B − A) + β (P − m): m the mean of all prompts' activations, P its foot on AB. β = −1 is m itself.
/// @param points  G      @param sweep  of the rows of the grid, one call or several
/// @throws as surface_distances; domain_error if A, B and m lie on a line; numeric_error of require_finite
/// @see Janiak et al. 2024, code
template <class T, class Sweep = at_once>
boundary_map map_boundary(model<T> const& model, prompt_list const& prompts, index a, index b, index points,
                          engine::setup const& setup, Sweep const& sweep = {}) {
    auto const clean = last_activations(model, prompts, setup.write);
    auto const mean = mean_activation(clean);
    std::span<T const> const from = clean[a].flat(), to = clean[b].flat(), m{mean};
    paths::plane<T> const plane{from, to,
                                m};  // its axis points from the foot to the mean, the published one away from it
    auto const surface = [&](index, double u, double v, std::span<T> out) { plane(u, -v, out); };
    boundary_map found{{paths::even_grid(0, 1, points), paths::even_grid(-1, 1, points)}};
    auto const& grid = found.grid;
    auto rows = sweep(points, [&](index first, index count) -> boundary_rows {
        paths::surface_grid const part{grid.u, {grid.v.begin() + first, grid.v.begin() + first + count}};
        return {surface_distances(model, prompts, {a, b}, part, surface, setup)};
    });
    found.distances = std::move(rows.distances);
    require_finite(found.distances, grid, setup.read);
    found.alpha_mean = metrics::alpha_mean(from, to, m);
    found.alpha_jump = metrics::bisector_prediction(from, to, m);
    return found;
}

}  // namespace plateau::sweep
