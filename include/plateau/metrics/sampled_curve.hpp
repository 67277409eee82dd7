#pragma once
/// Curves known at ascending places.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// @param alpha,curve  [S]      @throws shape_error unless of equal length S >= 2; domain_error unless alpha ascends
/// strictly
inline void require_curve(std::span<double const> alpha, std::span<double const> curve) {
    if (alpha.size() != curve.size() || alpha.size() < 2) {
        throw shape_error("a curve needs as many places as values, and at least 2, got ", alpha.size(), " and ",
                          curve.size());
    }
    for (std::size_t i = 0; i + 1 < alpha.size(); ++i) {
        if (!(alpha[i] < alpha[i + 1]))
            throw domain_error("the places of a curve have to ascend; places ", i, " and ", i + 1, " do not");
    }
}

/// The curve at `where`, linear between its points, constant beyond its ends. @pre require_curve
inline double value_at(std::span<double const> alpha, std::span<double const> curve, double where) {
    if (where <= alpha.front()) return curve.front();
    if (where >= alpha.back()) return curve.back();
    auto const i = static_cast<std::size_t>(std::upper_bound(alpha.begin(), alpha.end(), where) - alpha.begin());
    double const share = (where - alpha[i - 1]) / (alpha[i] - alpha[i - 1]);
    return curve[i - 1] + share * (curve[i] - curve[i - 1]);
}

/// The first place where the curve, linear between its points, is at least `level`; NaN if it never is.
/// @pre require_curve
inline double first_place_at(std::span<double const> alpha, std::span<double const> curve, double level) {
    if (curve.front() >= level) return alpha.front();
    for (std::size_t i = 1; i < curve.size(); ++i) {
        if (curve[i] < level || std::isnan(curve[i]) || std::isnan(curve[i - 1])) continue;
        return alpha[i - 1] + (alpha[i] - alpha[i - 1]) * ((level - curve[i - 1]) / (curve[i] - curve[i - 1]));
    }
    return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace plateau::metrics
