#pragma once
/// Distance curves along whatever paths: how far the output is from that at the path's first point.

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/distances.hpp>
#include <plateau/sweep/along.hpp>

namespace plateau::sweep {

using engine::point_writer;
using engine::prompt_pair;
using engine::setup;
using engine::write_positions;

/// d(α) of many pairs.
struct distance_curves {
    std::vector<double> alpha;            ///< [S]
    tensor::buffer<double, 2> distances;  ///< [P, S]: L2 distance of the read-out to that at α = 0

    std::span<double const> operator[](index pair) const { return distances[pair].flat(); }

    /// Its arrays, each with the axis that counts pairs; −1 for one of all pairs together.
    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.alpha, -1), visit(self.distances);
    }
};

/// d(α_i) = ‖F_p(x(α_i)) − F_p(x(α_0))‖₂ of points that `write` makes: straight lines, `along_paths`, or anything.
///     alpha  [S] what the points are called, in any unit; S >= 1
/// @param also  what else to read, and interventions: at the read site they act before it is read
/// @throws usage_error (no points, no pairs, unusable prompts), site_error, numeric_error; what `write` throws
template <class T>
PLATEAU_INLINE distance_curves distances_along(model<T> const& model, prompt_list const& prompts,
                                               std::vector<prompt_pair> const& pairs, std::vector<double> alpha,
                                               std::type_identity_t<point_writer<T>> const& write,
                                               setup const& setup = {}, hooks::hook_set<T> const& also = {}) {
    distance_curves curves;
    curves.alpha = std::move(alpha);
    auto const steps = static_cast<index>(curves.alpha.size());
    curves.distances = tensor::buffer<double, 2>({static_cast<index>(pairs.size()), steps});
    auto const read = hooks::find_site(model.sites(), setup.read);
    engine::patched_rows<T> rows{model.engine(), prompts, steps, setup};
    rows.run(pairs, write, also | engine::read_distances<T>(read.name(), curves.distances));
    return curves;
}

/// The same along paths that `make` makes of both ends, over a grid of their parameter:
///     curves(model, prompts, pairs, [](auto a, auto b) { return my_path{a, b}; }, paths::even_grid(0, 1, 50))
template <class T, paths::PathMaker<T> Make>
distance_curves curves(model<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                       Make make, std::vector<double> grid, setup const& setup = {},
                       hooks::hook_set<T> const& also = {}) {
    auto const points = along_paths<T>(std::move(make), grid);
    return distances_along(model, prompts, pairs, std::move(grid), points, setup, also);
}

PLATEAU_COMPILED_FUNCTION(distances_along);

}  // namespace plateau::sweep
