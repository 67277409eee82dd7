#pragma once
/// Distance curves along straight lines between activations: the stable-regions experiment.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/paths/linear.hpp>
#include <plateau/sweep/distance_curves.hpp>

namespace plateau::sweep {

/// The published experiment's choices.
struct interpolate_options {
    std::string write = "blocks.0.hook_resid_post";  ///< where x(α) replaces the activation
    std::string read = "ln_final.hook_out";          ///< where the change is measured, at the last position
    index steps = 50;                                ///< points α = i / (steps − 1)
    write_positions positions = {};                  ///< where in the prompt x(α) is written: at the last position
    std::function<void(index)> on_points = {};       ///< called with the number of points just finished, concurrently
};

/// The points of straight lines, α = i / (steps − 1): from A, the activation of a pair's context at every written
/// position, to B, the other prompt's; the reverse for a pair `to_context`. @param pairs  kept as a reference
template <class T>
[[gnu::cold]] point_writer<T> straight_lines(std::vector<prompt_pair> const& pairs, index steps) {
    auto const reversed = [&pairs](index pair) { return pairs[static_cast<std::size_t>(pair)].to_context; };
    auto const write = [reversed, steps](index pair, index point, tensor::view<T const, 2> a,
                                         tensor::view<T const, 2> b, tensor::view<T, 2> out) {
        if (reversed(pair)) std::swap(a, b);
        for (index j = 0; j < out.extent(0); ++j) {
            paths::linear<T>{a[j].flat(), b[j].flat()}(paths::grid_fraction(point, steps), out[j].flat());
        }
    };
    return {write, [reversed, steps](index pair, index point) {
                return typename point_writer<T>::on_line{paths::grid_fraction(point, steps), reversed(pair)};
            }};
}

/// d(α) = ‖F_p(x(α)) − F_p(x(0))‖₂ with x(α) = (1−α)A + αB: A and B are the activations of a pair's prompts at the
/// write site and positions, p is the first prompt of the pair, F_p the read site at p's last position.
/// @param prompts  N token lists      @param pairs  P pairs of numbers in [0, N)
/// @param also     what else to read, and interventions: at the read site they act before it is read
/// @throws usage_error (steps < 2, no pairs, unusable prompts), site_error, numeric_error
/// @see Janiak et al. 2024, section 2
template <class Context, class Model>
[[gnu::cold]] distance_curves interpolate(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                                          std::vector<prompt_pair> const& pairs, interpolate_options const& options,
                                          hooks::hook_set<typename Model::value_type> const& also = {}) {
    using T = typename Model::value_type;
    if (options.steps < 2) {
        throw usage_error("an interpolation needs at least 2 steps, got ", options.steps);
    }
    std::vector<double> alpha;
    for (index i = 0; i < options.steps; ++i) alpha.push_back(paths::grid_fraction(i, options.steps));
    return distances_along(ctx, model, prompts, pairs, std::move(alpha), straight_lines<T>(pairs, options.steps),
                           {options.write, options.read, options.positions, false, options.on_points}, also);
}

/// One pair: the curve d(α), [S].
template <class Context, class Model>
[[gnu::cold]] std::vector<double> interpolate(Context const& ctx, Model const& model,
                                              std::vector<token_id> const& context, std::vector<token_id> const& other,
                                              interpolate_options const& options) {
    auto const curves = interpolate(ctx, model, models::prompt_list{context, other}, {{0, 1}}, options);
    auto const curve = curves[0];
    return {curve.begin(), curve.end()};
}

}  // namespace plateau::sweep
