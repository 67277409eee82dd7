#pragma once
/// The sharpness of a curve: its steepest step, and where that lies.

#include <cmath>
#include <limits>
#include <span>
#include <string>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

struct slope {
    double value;  ///< change of the curve per unit of α; at most S − 1 for a curve from 0 to 1 that never overshoots
    double alpha;  ///< centre of the steepest step, in [0, 1]
};

/// Maximum slope of a curve on the even grid α = i / (S − 1):
///     value = max_i (r[i+1] − r[i]) · (S − 1),   alpha = (argmax + ½) / (S − 1)
/// The difference is signed; the first of equal maxima counts.
/// @param curve  [S], S >= 2; a curve with a NaN gives NaN, NaN
/// @throws shape_error if S < 2
/// @see Janiak et al. 2024, section 3 and their code (`diff().max() * (steps - 1)`)
inline slope max_slope(std::span<double const> curve) {
    if (curve.size() < 2) {
        throw shape_error{"max_slope needs at least two points, got ", curve.size()};
    }
    double const nan = std::numeric_limits<double>::quiet_NaN();
    double const steps = static_cast<double>(curve.size() - 1);
    double best = -std::numeric_limits<double>::infinity();
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
        double const difference = curve[i + 1] - curve[i];
        if (std::isnan(difference)) return {nan, nan};
        if (difference > best) {
            best = difference;
            at = i;
        }
    }
    return {best * steps, (static_cast<double>(at) + 0.5) / steps};
}

}  // namespace plateau::metrics
