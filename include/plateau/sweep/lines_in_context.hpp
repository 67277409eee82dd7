#pragma once
/// Straight lines between the activations of any two prompts, in the run of a third.

#include <span>
#include <vector>

#include <plateau/corpus/pairings.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/curves.hpp>

namespace plateau::sweep {

/// The run in which paths lie, and what they are between.
template <class T>
struct line_context {
    prompt_list const& prompts;
    tensor::buffer<T, 2> const& activations;  ///< [N, D] of `last_activations` at the write site
    index prompt;                             ///< in whose run points are written, at its last position
};

/// d(α_i) = ‖F_C(x(α_i)) − F_C(x(0))‖₂ with x(α) = (1−α) A_i + α A_j, α = i / (points − 1): A_i and A_j are of each
/// pair's own runs, F_C is what follows in the run of the context C, which need be none of both. Of one point: x = A_i.
/// @param also  what else to read      @return [P, points]
/// @throws usage_error, site_error, numeric_error      @post of pairs (C, j) the numbers of `interpolate`
template <class T>
distance_curves lines_in_context(model<T> const& model, line_context<T> const& where,
                                 std::span<corpus::pair const> pairs, index points, setup const& setup,
                                 hooks::hook_set<T> const& also = {}) {
    // the ends that a sweep knows are those of the context's own run; points are written from what all prompts have
    std::vector<prompt_pair> const rows(pairs.size(), prompt_pair{where.prompt, where.prompt});
    point_writer<T> const write =
        [&](index pair, index point, tensor::view<T const, 2>, tensor::view<T const, 2>, tensor::view<T, 2> out) {
        auto const& [from, to] = pairs[static_cast<std::size_t>(pair)];
        double const alpha = points > 1 ? paths::grid_fraction(point, points) : 0;
        paths::linear<T>{where.activations[from].flat(), where.activations[to].flat()}(alpha, out.flat());
    };
    std::vector<double> alpha{0};
    for (index i = 1; i < points; ++i) alpha.push_back(paths::grid_fraction(i, points));
    return distances_along(model, where.prompts, rows, std::move(alpha), write, setup, also);
}

}  // namespace plateau::sweep
