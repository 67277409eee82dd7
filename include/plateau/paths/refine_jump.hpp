#pragma once
/// The place of a jump to a tolerance, from few evaluations.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::paths {

struct refine_options {
    double first = 0;         ///< the search begins on an even grid from here
    double last = 1;          ///< to here
    index coarse = 17;        ///< of this many points
    double tolerance = 1e-6;  ///< wanted bound on the error of the place
    index per_round = 1;      ///< new points per round: 1 takes the fewest, more share a block of rows
    double noise = 0;         ///< error of f: a bracket whose halves differ by no more is not divided further
    bool absolute = false;    ///< the largest |change| instead of the largest increase
};

/// Where f jumps.
struct refined_jump {
    double place;         ///< middle of the last bracket
    double error;         ///< half of its width
    double change;        ///< f(right) − f(left) of the last bracket
    double slope;         ///< change / width: of a jump sharper than the bracket only a lower bound
    double coarse_slope;  ///< the largest of the coarse grid, what `max_slope` would say of it
    bool resolved;        ///< the slope grew by less than a tenth when the bracket was last narrowed; if not, it is
                          ///< saturated: its value is set by the bracket's width, as steps − 1 sets that of a grid
    index evaluations;
};

namespace detail {

/// Values at `places`, whether f takes one place or all of a round. @throws numeric_error on NaN
template <class F>
void evaluate_places(F& f, std::span<double const> places, std::span<double> values);

/// Divides [left, right] into `parts`; f of the inner points. @return places and values with both ends
struct bracket {
    std::vector<double> places, values;

    template <class F>
    bracket(F& f, double left, double right, double f_left, double f_right, index parts);
};

}  // namespace detail

/// Finds the steepest change of f on a coarse grid, then divides the interval that has it, and goes on with the part that
/// changes most, until half of its width is at most the tolerance.
/// If f = a step of height J + a rest that varies by less than J / 2 over every interval of the coarse grid, then the
/// jump lies within `error` of `place`. A function without such a step has its steepest place found greedily; `resolved`
/// tells the two apart. With defaults 17 + 15 evaluations.
/// @param f  double(double), or void(span<double const> places, span<double> values), which gets all points of a round
/// @throws usage_error (coarse < 2, per_round < 1, an empty or infinite range, a tolerance that is not positive);
///         numeric_error where f is NaN
template <class F>
refined_jump refine_jump(F&& f, refine_options const& options = {}) {
    if (options.coarse < 2 || options.per_round < 1) {
        throw usage_error{"refine_jump needs at least 2 coarse points and 1 point per round, got ", options.coarse, " and ",
                          options.per_round};
    }
    if (!(options.first < options.last) || std::isinf(options.last - options.first) || !(options.tolerance > 0)) {
        throw usage_error("refine_jump needs a finite range, first < last, and a tolerance above 0");
    }
    auto const size = [&](double change) { return options.absolute ? std::abs(change) : change; };
    double ends[2], end_places[2] = {options.first, options.last};
    detail::evaluate_places(f, end_places, ends);
    refined_jump found{};
    found.evaluations = 2;
    double left = options.first, right = options.last, f_left = ends[0], f_right = ends[1];
    double slope_before = 0;
    for (bool is_coarse = true; is_coarse || (right - left) / 2 > options.tolerance; is_coarse = false) {
        detail::bracket const part{f, left, right, f_left, f_right, is_coarse ? options.coarse - 1 : options.per_round + 1};
        std::size_t best = 0;
        double largest = size(part.values[1] - part.values[0]), smallest = largest;
        for (std::size_t i = 0; i + 1 < part.places.size(); ++i) {
            double const change = size(part.values[i + 1] - part.values[i]);
            if (change > largest) best = i;
            largest = std::fmax(largest, change);
            smallest = std::fmin(smallest, change);
        }
        found.evaluations += static_cast<index>(part.places.size()) - 2;
        if (!is_coarse && largest - smallest <= options.noise && options.noise > 0) break;
        if (part.places[best] == left && part.places[best + 1] == right && !is_coarse) break;  // no number in between
        slope_before = (f_right - f_left) / (right - left);
        left = part.places[best];
        right = part.places[best + 1];
        f_left = part.values[best];
        f_right = part.values[best + 1];
        if (is_coarse) found.coarse_slope = (f_right - f_left) / (right - left);
    }
    found.place = left + (right - left) / 2;
    found.error = (right - left) / 2;
    found.change = f_right - f_left;
    found.slope = found.change / (right - left);
    found.resolved = std::abs(found.slope) <= 1.1 * std::abs(slope_before);
    return found;
}

namespace detail {

template <class F>
void evaluate_places(F& f, std::span<double const> places, std::span<double> values) {
    if constexpr (std::is_invocable_v<F&, std::span<double const>, std::span<double>>) {
        f(places, values);
    } else {
        for (std::size_t i = 0; i < places.size(); ++i) values[i] = f(places[i]);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (std::isnan(values[i])) throw numeric_error{"the function to refine is no number at ", std::to_string(places[i])};
    }
}

template <class F>
bracket::bracket(F& f, double left, double right, double f_left, double f_right, index parts) {
    places.push_back(left);
    for (index i = 1; i < parts; ++i) {
        double const place = left + (right - left) * (static_cast<double>(i) / static_cast<double>(parts));
        if (place > places.back() && place < right) places.push_back(place);
    }
    places.push_back(right);
    values.resize(places.size());
    evaluate_places(f, std::span{places}.subspan(1, places.size() - 2), std::span{values}.subspan(1, places.size() - 2));
    values.front() = f_left;
    values.back() = f_right;
}

}  // namespace detail
}  // namespace plateau::paths
