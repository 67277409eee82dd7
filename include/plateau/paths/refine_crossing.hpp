#pragma once
/// The place where a function reaches a level, to a tolerance.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <plateau/paths/refine_jump.hpp>

namespace plateau::paths {

/// Where f crosses a level.
struct refined_crossing {
    double place;  ///< middle of the last bracket, or exactly an end whose f is the level
    double error;  ///< half of its width: f − level changes sign within
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
        throw usage_error(
            "refine_crossing needs a finite range, first < last, a tolerance above 0 and a point per round");
    }
    std::vector<double> places{options.first, options.last};
    auto values = detail::values_at(f, places);
    for (std::size_t end = 0; end < 2; ++end) {
        if (values[end] == level) return {places[end], 0, 2};
    }
    bool const rises = values[0] < level;
    if (rises == (values[1] < level)) {
        throw domain_error("the function is ", rises ? "below" : "above", " the level at both ends, ",
                           std::to_string(values[0]), " and ", std::to_string(values[1]), " beside ",
                           std::to_string(level));
    }
    double left = options.first, right = options.last;
    index evaluations = 2;
    while ((right - left) / 2 > options.tolerance) {
        places = detail::divided(left, right, options.per_round + 1);
        if (places.size() == 2) break;  // no number in between
        values = detail::values_at(f, std::span<double const>{places}.subspan(1, places.size() - 2));
        evaluations += static_cast<index>(values.size());
        std::size_t i = 0;
        while (i < values.size() && (values[i] < level) == rises) ++i;
        left = places[i];
        right = places[i + 1];
    }
    return {left + (right - left) / 2, (right - left) / 2, evaluations};
}

}  // namespace plateau::paths
