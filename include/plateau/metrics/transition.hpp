#pragma once
/// The transition of a curve from 0 to 1: how wide, where, and whether there are plateaus on both sides.

#include <cmath>
#include <limits>
#include <span>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/metrics/isotonic_fit.hpp>
#include <plateau/metrics/sampled_curve.hpp>

namespace plateau::metrics {

/// Of the isotonic fit f: t(y) = min {α : f(α) ≥ y}, f linear between its points. Unit of α.
struct transition {
    double begin;  ///< t(ν)
    double half;   ///< t(½)
    double end;    ///< t(1 − ν)
    double width;  ///< w = t(1 − ν) − t(ν): 0.8 for a straight line with ν = 0.1, near 0 for a step
};

/// Width and middle of the transition. A number is NaN if the fit does not reach its level.
/// @param alpha  [S] ascending, S >= 2      @param curve  [S] from 0 to 1, as `endpoint_share` or `relative_distance`
/// gives
/// @param nu  share of the change left out on either side, in (0, ½); published 0.1, with 0.05 to see how much it
/// matters
/// @post all NaN if the curve has a NaN      @throws shape_error, domain_error, see require_curve; domain_error on
/// another ν
/// @see MARS V (transition width)
inline transition transition_of(std::span<double const> alpha, std::span<double const> curve, double nu = 0.1) {
    require_curve(alpha, curve);
    if (!(nu > 0 && nu < 0.5))
        throw domain_error("a transition leaves out a share in (0, 1/2), got ", std::to_string(nu));
    auto const fit = isotonic_fit(curve);
    double const begin = first_place_at(alpha, fit, nu), end = first_place_at(alpha, fit, 1 - nu);
    return {begin, first_place_at(alpha, fit, 0.5), end, end - begin};
}

struct plateau_rule {
    double within = 0.1;     ///< a value this near to 0 or to 1 belongs to a plateau
    double share = 0.2;      ///< of the points, at least, on each
    double deviation = 0.1;  ///< largest |curve − isotonic fit|
};

/// Whether a curve from 0 to 1 has a plateau at both ends and rises without falling back.
/// @param curve  [S], S >= 1, on an even grid      @return false for a curve with a NaN      @throws shape_error if S <
/// 1
/// @see MARS V (plateau rule)
inline bool has_plateaus(std::span<double const> curve, plateau_rule const& rule = {}) {
    if (curve.empty()) throw shape_error("has_plateaus needs at least one point");
    auto const fit = isotonic_fit(curve);
    double low = 0, high = 0, deviation = 0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        if (std::isnan(curve[i])) return false;
        low += std::abs(curve[i]) <= rule.within;
        high += std::abs(curve[i] - 1) <= rule.within;
        deviation = std::fmax(deviation, std::abs(curve[i] - fit[i]));
    }
    double const needed = rule.share * static_cast<double>(curve.size());
    return low >= needed && high >= needed && deviation <= rule.deviation;
}

/// How much a curve changes in its outer parts: small on plateaus, `share` on a straight line.
struct edge_drift {
    double begin;  ///< r(share) − r(0)
    double end;    ///< r(1) − r(1 − share)
};

/// @param alpha,curve  [S] as above, values between points linear      @param share  of the range of α, in [0, 1];
/// published 0.2
/// @throws shape_error, domain_error, see require_curve; domain_error on another share
inline edge_drift edge_drift_of(std::span<double const> alpha, std::span<double const> curve, double share = 0.2) {
    require_curve(alpha, curve);
    if (!(share >= 0 && share <= 1)) throw domain_error("an edge is a share in [0, 1], got ", std::to_string(share));
    double const length = share * (alpha.back() - alpha.front());
    return {value_at(alpha, curve, alpha.front() + length) - curve.front(),
            curve.back() - value_at(alpha, curve, alpha.back() - length)};
}

}  // namespace plateau::metrics
