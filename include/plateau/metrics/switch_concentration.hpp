#pragma once
/// Switch concentration: which share of a curve's change falls into a part of its path.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/sampled_curve.hpp>

namespace plateau::metrics {

/// With V(α) = Σ |Δr| up to α over V(1), the share of the total variation, linear between points, and α counted from 0
/// to 1 over the range of the path:
struct switch_concentration {
    double gain;    ///< Γ = [V(0.6) − V(0.4)] / 0.2 ∈ [0, 5]: 1 for a straight line, 5 for a switch in the middle
    double flanks;  ///< Φ = V(0.2) + 1 − V(0.8) ∈ [0, 1]: 0.4 for a straight line, 0 for a switch far from both ends
    double window;  ///< Λ(w) = max_a V(a + w) − V(a) ∈ [w, 1], wherever the switch is: w for a straight line
};

/// The three numbers of one curve. Known second-hand (MARS V, unreviewed); what they are named after does not fix them,
/// so they are defined here as above: with raw increments, no isotonic fit, and windows between points of the grid too.
/// @param alpha  [S] ascending, S >= 2      @param curve  [S]      @param w  of the path, in (0, 1]
/// @return NaN for a constant curve or one with a NaN
/// @throws shape_error, domain_error, see require_curve; domain_error on another w
inline switch_concentration switch_concentration_of(std::span<double const> alpha, std::span<double const> curve,
                                                    double w = 0.2) {
    require_curve(alpha, curve);
    if (!(w > 0 && w <= 1)) throw domain_error("a window is a share of the path in (0, 1], got ", std::to_string(w));
    double const length = alpha.back() - alpha.front();
    std::vector<double> place{0}, share{0};
    for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
        place.push_back((alpha[i + 1] - alpha.front()) / length);
        share.push_back(share.back() + std::abs(curve[i + 1] - curve[i]));
    }
    double const total = share.back();
    if (!(total > 0 && std::isfinite(total))) {
        double const nan = std::numeric_limits<double>::quiet_NaN();
        return {nan, nan, nan};
    }
    for (double& one : share) one /= total;
    auto const upto = [&](double where) { return value_at(place, share, where); };
    // V(a + w) − V(a) is linear in a between places where an end of the window meets a point
    double most = 0;
    for (double const at : place) {
        for (double const begin : {at, at - w}) {
            double const from = std::clamp(begin, 0.0, 1 - w);
            most = std::max(most, upto(from + w) - upto(from));
        }
    }
    return {(upto(0.6) - upto(0.4)) / 0.2, upto(0.2) + 1 - upto(0.8), most};
}

}  // namespace plateau::metrics
