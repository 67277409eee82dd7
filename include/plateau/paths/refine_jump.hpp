#pragma once
/// The place of a jump to a tolerance, from few evaluations.

#include <cmath>
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

    /// Whether the slope is a lower bound and no more.
    bool is_bound() const { return !resolved && !std::isnan(place); }
};

namespace detail {

/// `parts` + 1 places from left to right, fewer where there are no numbers in between.
inline std::vector<double> divided(double left, double right, index parts) {
    std::vector<double> places{left};
    for (index i = 1; i < parts; ++i) {
        double const place = left + (right - left) * (static_cast<double>(i) / static_cast<double>(parts));
        if (place > places.back() && place < right) places.push_back(place);
    }
    places.push_back(right);
    return places;
}

/// Values at `places`, whether f takes one place or all of a round. @throws numeric_error on NaN
template <class F>
std::vector<double> values_at(F& f, std::span<double const> places) {
    std::vector<double> values(places.size());
    if constexpr (std::is_invocable_v<F&, std::span<double const>, std::span<double>>) {
        f(places, std::span<double>{values});
    } else {
        for (std::size_t i = 0; i < places.size(); ++i) values[i] = f(places[i]);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (std::isnan(values[i]))
            throw numeric_error("the function to refine is no number at ", std::to_string(places[i]));
    }
    return values;
}

}  // namespace detail

/// The search itself, for those who evaluate f in their own way, as a sweep does for many pairs at once: it says which
/// values it wants, is given them, and so on until it wants no more.
///     while (!search.wanted().empty()) search.give(values of f at search.wanted());
/// First it wants the coarse grid, first and last place included, in order.
class jump_search {
public:
    /// @throws usage_error (coarse < 2, per_round < 1, an empty or infinite range, a tolerance that is not positive)
    explicit jump_search(refine_options const& options = {}) : options_{options} {
        if (options.coarse < 2 || options.per_round < 1) {
            throw usage_error("refine_jump needs at least 2 coarse points and 1 point per round, got ", options.coarse,
                              " and ", options.per_round);
        }
        if (!(options.first < options.last) || std::isinf(options.last - options.first) || !(options.tolerance > 0)) {
            throw usage_error("refine_jump needs a finite range, first < last, and a tolerance above 0");
        }
        places_ = detail::divided(options.first, options.last, options.coarse - 1);
        wanted_ = places_;
    }

    /// Places that wait for their values, ascending; none when the search is over.
    std::vector<double> const& wanted() const { return wanted_; }

    /// @param values  of f at `wanted()`, in order      @throws shape_error on another number of them; numeric_error on
    /// NaN
    void give(std::span<double const> values) {
        if (values.size() != wanted_.size()) {
            throw shape_error("a search wanted ", wanted_.size(), " values and was given ", values.size());
        }
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (std::isnan(values[i]))
                throw numeric_error("the function to refine is no number at ", std::to_string(wanted_[i]));
        }
        found_.evaluations += static_cast<index>(values.size());
        bool const is_coarse = values_.empty();
        if (is_coarse) values_.assign(values.begin(), values.end());
        else values_.insert(values_.begin() + 1, values.begin(), values.end());
        wanted_.clear();
        if (narrow(is_coarse) && right() - left() > 2 * options_.tolerance) ask();
    }

    /// @pre the search is over
    refined_jump result() const { return found_; }

private:
    double left() const { return places_.front(); }
    double right() const { return places_.back(); }
    double change() const { return values_.back() - values_.front(); }

    /// Goes on with the part that changes most. @return false if there is no reason to divide that one
    bool narrow(bool is_coarse) {
        auto const size = [&](std::size_t i) {
            double const part = values_[i + 1] - values_[i];
            return options_.absolute ? std::abs(part) : part;
        };
        std::size_t best = 0;
        double largest = size(0), smallest = size(0);
        for (std::size_t i = 1; i + 1 < places_.size(); ++i) {
            if (size(i) > largest) best = i;
            largest = std::fmax(largest, size(i));
            smallest = std::fmin(smallest, size(i));
        }
        double const slope_before = change() / (right() - left());
        if (!is_coarse && options_.noise > 0 && largest - smallest <= options_.noise) return false;
        places_ = {places_[best], places_[best + 1]};
        values_ = {values_[best], values_[best + 1]};
        found_.place = left() + (right() - left()) / 2;
        found_.error = (right() - left()) / 2;
        found_.change = change();
        found_.slope = change() / (right() - left());
        if (is_coarse) found_.coarse_slope = found_.slope;
        found_.resolved = std::abs(found_.slope) <= 1.1 * std::abs(slope_before);
        return true;
    }

    void ask() {
        places_ = detail::divided(left(), right(), options_.per_round + 1);
        wanted_.assign(places_.begin() + 1, places_.end() - 1);
    }

    refine_options options_;
    std::vector<double> places_;  ///< of the bracket and its parts
    std::vector<double> values_;  ///< of f there, as far as they are known
    std::vector<double> wanted_;
    refined_jump found_{};
};

/// Finds the steepest change of f on a coarse grid, then divides the interval that has it, and goes on with the part
/// that changes most, until half of its width is at most the tolerance.
/// If f = a step of height J + a rest that varies by less than J / 2 over every interval of the coarse grid, then the
/// jump lies within `error` of `place`. A function without such a step has its steepest place found greedily;
/// `resolved` tells the two apart. With defaults 17 + 15 evaluations.
/// @param f  double(double), or void(span<double const> places, span<double> values), which gets all points of a round
/// @throws as jump_search; numeric_error where f is NaN
template <class F>
refined_jump refine_jump(F&& f, refine_options const& options = {}) {
    jump_search search{options};
    while (!search.wanted().empty()) search.give(detail::values_at(f, search.wanted()));
    return search.result();
}

}  // namespace plateau::paths
