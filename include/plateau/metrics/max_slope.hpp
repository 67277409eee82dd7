#pragma once
/// The sharpness of a curve: its steepest step, and where that lies.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

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
        throw shape_error("max_slope needs at least two points, got ", curve.size());
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

/// The same with |r[i+1] − r[i]|: a fall counts as much as a rise. [S], S >= 2; exceptions and NaN as above.
inline slope max_absolute_slope(std::span<double const> curve) {
    slope const rise = max_slope(curve);
    std::vector<double> falling(curve.begin(), curve.end());
    for (double& value : falling) value = -value;
    slope const fall = max_slope(falling);
    if (rise.value == fall.value) return rise.alpha < fall.alpha ? rise : fall;
    return rise.value > fall.value || std::isnan(rise.value) ? rise : fall;
}

/// How near the maximum slope is to its ceiling: |slope| / ((S − 1)(max r − min r)) ∈ [1/(S − 1), 1].
/// Near 1 the whole change happens within one step: the value is the grid's, not the curve's. `paths::refine_jump`
/// looks closer.
/// @param curve  [S], S >= 2      @return NaN for a constant curve or one with a NaN      @throws shape_error if S < 2
inline double slope_saturation(std::span<double const> curve) {
    slope const steepest = max_absolute_slope(curve);
    auto const [low, high] = std::minmax_element(curve.begin(), curve.end());
    double const range = *high - *low;
    if (!(range > 0)) return std::numeric_limits<double>::quiet_NaN();
    return steepest.value / (static_cast<double>(curve.size() - 1) * range);
}

}  // namespace plateau::metrics
