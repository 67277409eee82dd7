#pragma once
/// Transitions of pairs: relative curves, how steep and how wide their jumps are, and where.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/table.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/metrics/sampled_curve.hpp>
#include <plateau/metrics/transition.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::sweep {

/// The curves of P pairs and their numbers.
struct transitions {
    std::vector<double> alpha;       ///< [S]
    std::vector<double> relative;    ///< [P,S] d(α)/d(1); NaN for a degenerate pair, as are the numbers below
    std::vector<double> max_slope;   ///< [P]
    std::vector<double> alpha_jump;  ///< [P]
    std::vector<double> width;       ///< [P] t(0.9) − t(0.1) of the isotonic fit
    index degenerate = 0;

    index count() const { return static_cast<index>(max_slope.size()); }
    index steps() const { return static_cast<index>(alpha.size()); }
    std::span<double const> curve(index pair) const {
        return std::span{relative}.subspan(static_cast<std::size_t>(pair) * alpha.size(), alpha.size());
    }

    /// [P]: the relative distance at a place, linear between points.
    std::vector<double> at(double place) const {
        std::vector<double> values;
        for (index p = 0; p < count(); ++p) values.push_back(metrics::value_at(alpha, curve(p), place));
        return values;
    }

    /// [S]: the median over `pairs` (numbers, possibly repeated), point by point.
    std::vector<double> median_curve(std::span<index const> pairs) const {
        std::vector<double> result, column(pairs.size());
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            for (std::size_t k = 0; k < pairs.size(); ++k)
                column[k] = relative[static_cast<std::size_t>(pairs[k]) * alpha.size() + i];
            result.push_back(statistics::median(column));
        }
        return result;
    }
};

/// @throws numeric_error that names the read site and the pair where a distance is infinite or NaN
inline void require_finite(tensor::buffer<double, 2> const& distances, std::string const& site) {
    for (index p = 0; p < distances.extent(0); ++p) {
        for (index i = 0; i < distances.extent(1); ++i) {
            if (std::isfinite(distances(p, i))) continue;
            throw numeric_error("the read-out at " + site + " is not finite for pair " + std::to_string(p) +
                                ", alpha = " + fixed(paths::grid_fraction(i, distances.extent(1)), 4) +
                                ": check the weights, or compute with a wider dtype");
        }
    }
}

/// [P,S] d(α)/d(1) of curves, NaN for degenerate pairs.
inline std::vector<double> relative_curves(tensor::buffer<double, 2> const& distances, double min_d1) {
    std::vector<double> all;
    all.reserve(static_cast<std::size_t>(distances.size()));
    for (index p = 0; p < distances.extent(0); ++p) {
        auto const relative = metrics::relative_distance(distances[p].flat(), min_d1);
        all.insert(all.end(), relative.begin(), relative.end());
    }
    return all;
}

/// Adds the numbers of further pairs, but not their relative curves.
inline void add_numbers(transitions& all, std::vector<double> const& relative) {
    auto const steps = all.alpha.size();
    for (std::size_t at = 0; at < relative.size(); at += steps) {
        std::vector<double> const curve(relative.begin() + static_cast<std::ptrdiff_t>(at),
                                        relative.begin() + static_cast<std::ptrdiff_t>(at + steps));
        auto const slope = metrics::max_slope(curve);
        all.max_slope.push_back(slope.value);
        all.alpha_jump.push_back(slope.alpha);
        all.width.push_back(metrics::transition_of(all.alpha, curve).width);
        all.degenerate += std::isnan(slope.value) ? 1 : 0;
    }
}

/// @throws numeric_error if all pairs are degenerate
inline void require_some(transitions const& all, double min_d1) {
    if (all.degenerate < all.count()) return;
    throw numeric_error("all " + std::to_string(all.degenerate) + " pairs are degenerate: d(1) <= " + fixed(min_d1, 6) +
                        "; choose other prompts, another write site or --min-d1");
}

/// The numbers of curves. @throws numeric_error if all pairs are degenerate
inline transitions transitions_of(std::vector<double> const& alpha, tensor::buffer<double, 2> const& distances,
                                  double min_d1) {
    transitions all;
    all.alpha = alpha;
    all.relative = relative_curves(distances, min_d1);
    add_numbers(all, all.relative);
    require_some(all, min_d1);
    return all;
}

}  // namespace plateau::sweep
