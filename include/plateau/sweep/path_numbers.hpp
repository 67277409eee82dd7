#pragma once
/// Path numbers: how flat a path between two prompts is at its ends, how wide and how concentrated its switch.

#include <limits>
#include <span>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/metrics/switch_concentration.hpp>
#include <plateau/metrics/transition.hpp>

namespace plateau::sweep {

/// Of relative curves r(α) = d(α)/d(1); each [P], NaN for a degenerate pair.
struct path_numbers {
    std::vector<double> slope;     ///< max slope, per unit of α
    std::vector<double> interior;  ///< d′(0)/d(1) = (r(α_1) − r(0)) (S − 1): how much of the plateau's inside moves
    std::vector<double> drift;     ///< of both ends, a fifth of the path each: 0.4 for a straight line
    std::vector<double> width;     ///< t(0.9) − t(0.1) of the isotonic fit, in α
    std::vector<double> gain, flanks, window;  ///< of metrics::switch_concentration

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.slope), visit(self.interior), visit(self.drift), visit(self.width);
        visit(self.gain), visit(self.flanks), visit(self.window);
    }

    /// Those of pairs [first, first + count).
    path_numbers part(index first, index count) const {
        auto const cut = [&](std::vector<double> const& all) {
            return std::vector<double>(all.begin() + first, all.begin() + first + count);
        };
        return {cut(slope), cut(interior), cut(drift), cut(width), cut(gain), cut(flanks), cut(window)};
    }

    /// Adds a pair. @param alpha,distances  [S], S >= 2, an even grid from 0 to 1
    void add(std::span<double const> alpha, std::span<double const> distances, double min_d1) {
        auto const r = metrics::relative_distance(distances, min_d1);
        auto const edges = metrics::edge_drift_of(alpha, r);
        auto const switches = metrics::switch_concentration_of(alpha, r);
        slope.push_back(metrics::max_slope(r).value);
        interior.push_back((r[1] - r[0]) * static_cast<double>(r.size() - 1));
        drift.push_back(edges.begin + edges.end);
        width.push_back(metrics::transition_of(alpha, r).width);
        gain.push_back(switches.gain);
        flanks.push_back(switches.flanks);
        window.push_back(switches.window);
    }
};

}  // namespace plateau::sweep
