#pragma once
/// The place where a function reaches a level, to a tolerance.

#include <cmath>

#include <plateau/paths/refine_jump.hpp>

namespace plateau::paths {

/// Where f crosses a level.
struct refined_crossing {
    double place;   ///< middle of the last bracket, or exactly an end whose f is the level
    double error;   ///< half of its width: f − level changes sign within
    index evaluations;
};

/// A place where f = level between first and last, by bisection (`per_round` points a round; `coarse`, `noise` and
/// `absolute` of the options do not count): t½, the ends of a transition, plateau-breaking angles, basin radii.
/// @pre f − level has opposite signs at first and last      @param f  as for refine_jump
/// @throws domain_error if it has not; usage_error and numeric_error as refine_jump
/// @post of a continuous f a crossing lies within `error` of `place`; of several, one
template <class F>
refined_crossing refine_crossing(F&& f, double level, refine_options const& options = {}) {
    if (options.per_round < 1 || !(options.first < options.last) || std::isinf(options.last - options.first) ||
        !(options.tolerance > 0)) {
        throw usage_error("refine_crossing needs a finite range, first < last, a tolerance above 0 and a point per round");
    }
    double ends[2], end_places[2] = {options.first, options.last};
    detail::evaluate_places(f, end_places, ends);
    for (int end = 0; end < 2; ++end) {
        if (ends[end] == level) return {end_places[end], 0, 2};
    }
    bool const rises = ends[0] < level;
    if (rises == (ends[1] < level)) {
        throw domain_error{"the function is ", rises ? "below" : "above", " the level at both ends, ", std::to_string(ends[0]),
                           " and ", std::to_string(ends[1]), " beside ", std::to_string(level)};
    }
    double left = options.first, right = options.last, f_left = ends[0], f_right = ends[1];
    index evaluations = 2;
    while ((right - left) / 2 > options.tolerance) {
        detail::bracket const part{f, left, right, f_left, f_right, options.per_round + 1};
        if (part.places.size() == 2) break;  // no number in between
        evaluations += static_cast<index>(part.places.size()) - 2;
        std::size_t i = 0;
        while ((part.values[i + 1] < level) == rises) ++i;
        left = part.places[i];
        right = part.places[i + 1];
        f_left = part.values[i];
        f_right = part.values[i + 1];
    }
    return {left + (right - left) / 2, (right - left) / 2, evaluations};
}

}  // namespace plateau::paths
