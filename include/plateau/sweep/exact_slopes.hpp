#pragma once
/// Slopes of distance curves as derivatives, not as differences of a grid.

#include <cmath>
#include <limits>
#include <vector>

#include <plateau/paths/refine_jump.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/function_derivatives.hpp>

namespace plateau::sweep {

/// Curves over an even grid from 0 to 1, and the sweep that they are of.
template <class T>
struct swept_curves {
    path_derivatives_options along;
    distance_curves const& curves;
    hooks::hook_set<T> const& also;  ///< interventions that it had
};

/// d'(α)/d(1) of every point, [P,S]; at α = 0, where d has a kink, on its right.
/// @return NaN for pairs with d(1) at most min_d1      @throws as function_along
template <class T>
tensor::buffer<double, 2> exact_slopes(model<T> const& model, prompt_list const& prompts,
                                       std::vector<engine::prompt_pair> const& pairs, swept_curves<T> const& swept) {
    auto slopes =
        function_along(model, prompts, pairs, swept.along, engine::distance_to_reference<T>(), {{}, swept.also}).slope;
    for (index p = 0; p < slopes.extent(0); ++p) {
        double const whole = swept.curves[p].back();
        for (double& slope : slopes[p].flat())
            slope = whole > swept.along.min_d1 ? slope / whole : std::numeric_limits<double>::quiet_NaN();
    }
    return slopes;
}

/// The same at the places of refined jumps: their slopes are derivatives then, and no longer set by their brackets.
template <class T>
void use_exact_slopes(model<T> const& model, prompt_list const& prompts, std::vector<engine::prompt_pair> const& pairs,
                      swept_curves<T> const& swept, std::vector<paths::refined_jump>& jumps) {
    auto along = swept.along;
    along.steps = 2;
    auto const place = [&](index pair, index point) {
        double const jump = jumps[static_cast<std::size_t>(pair)].place;
        return point == 0 || std::isnan(jump) ? 0 : jump;
    };
    auto const found =
        function_along(model, prompts, pairs, along, engine::distance_to_reference<T>(), {place, swept.also});
    for (index p = 0; p < found.slope.extent(0); ++p) {
        auto& jump = jumps[static_cast<std::size_t>(p)];
        if (!std::isnan(jump.place)) jump.slope = found.slope(p, 1) / swept.curves[p].back();
    }
}

}  // namespace plateau::sweep
