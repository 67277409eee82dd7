#pragma once
/// Distance curves along straight lines between activations: the stable-regions experiment.

#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/sweep/curves.hpp>

namespace plateau::sweep {

/// The points of straight lines from one end of a pair to the other, α = i / (steps − 1).
template <class T>
point_writer<T> straight_lines(index steps) {
    auto const write = [steps](index, index point, tensor::view<T const, 2> from, tensor::view<T const, 2> to,
                               tensor::view<T, 2> out) {
        for (index j = 0; j < out.extent(0); ++j) {
            paths::linear<T>{from[j].flat(), to[j].flat()}(paths::grid_fraction(point, steps), out[j].flat());
        }
    };
    return {write, [steps](index, index point) { return paths::grid_fraction(point, steps); }};
}

/// d(α) = ‖F_p(x(α)) − F_p(x(0))‖₂ with x(α) = (1−α)A + αB, α = i / (steps − 1): A and B are the activations of a
/// pair's prompts at the write site and positions, p is the pair's context, F_p the read site at p's last position.
/// @param prompts  N token lists      @param pairs  P pairs of numbers in [0, N)
/// @param also     what else to read, and interventions: at the read site they act before it is read
/// @throws usage_error (steps < 2, no pairs, unusable prompts), site_error, numeric_error
/// @see Janiak et al. 2024, section 2
template <class T>
PLATEAU_INLINE distance_curves interpolate(model<T> const& model, prompt_list const& prompts,
                                           std::vector<prompt_pair> const& pairs, index steps, setup const& setup = {},
                                           hooks::hook_set<T> const& also = {}) {
    if (steps < 2) throw usage_error("an interpolation needs at least 2 steps, got ", steps);
    std::vector<double> alpha;
    for (index i = 0; i < steps; ++i) alpha.push_back(paths::grid_fraction(i, steps));
    return distances_along(model, prompts, pairs, std::move(alpha), straight_lines<T>(steps), setup, also);
}

/// One pair: the curve d(α), [S], in the context of the first prompt.
template <class T>
PLATEAU_INLINE std::vector<double> interpolate(model<T> const& model, std::vector<token_id> const& from,
                                               std::vector<token_id> const& to, index steps, setup const& setup = {}) {
    auto const curves = interpolate(model, prompt_list{from, to}, {{0, 1}}, steps, setup);
    auto const curve = curves[0];
    return {curve.begin(), curve.end()};
}

PLATEAU_COMPILED_FUNCTION(straight_lines);

}  // namespace plateau::sweep
