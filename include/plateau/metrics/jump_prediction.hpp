#pragma once
/// The expected place of the jump between two activations, from the activations alone.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/projection.hpp>

namespace plateau::metrics {

/// α_mean = ⟨b − a, m − a⟩ / |b − a|²: the foot of the mean m on the line from a to b. @param a,b,mean  [D]
/// @return NaN if a = b      @throws shape_error      @see Janiak et al. 2024, code
template <class T>
double alpha_mean(std::span<T const> a, std::span<T const> b, std::span<T const> mean) {
    return projection(mean, a, b);
}

/// α_jump predicted = |a − m| / (|a − m| + |b − m|): the boundary is the bisector of the angle at m between a and b
/// (the half angle of the published formula cancels). @param a,b,mean  [D]
/// @return NaN if a = b = m      @throws shape_error      @see Janiak et al. 2024, code
template <class T>
double bisector_prediction(std::span<T const> a, std::span<T const> b, std::span<T const> mean) {
    double const to_a = l2_distance(a, mean), to_b = l2_distance(b, mean);
    return to_a + to_b > 0 ? to_a / (to_a + to_b) : std::numeric_limits<double>::quiet_NaN();
}

/// Whether a pair is fit for comparing α_mean with α_jump, by the published masks: the distance to the mean along the
/// path varies by more than `range`, and its least value is not among the outer `margin` steps.
/// @param to_mean  [S] ‖X(α) − m‖, S >= 1      @return false with a NaN      @throws shape_error if S < 1
/// @see Janiak et al. 2024, code; with d(1) > 0.01, which `relative_distance` takes as min_d1
inline bool passes_the_mean(std::span<double const> to_mean, double range = 3, index margin = 2) {
    if (to_mean.empty()) throw shape_error("passes_the_mean needs at least one point");
    for (double distance : to_mean) {
        if (std::isnan(distance)) return false;
    }
    auto const [low, high] = std::minmax_element(to_mean.begin(), to_mean.end());
    auto const nearest = static_cast<index>(low - to_mean.begin());
    return *high - *low > range && nearest >= margin && nearest < static_cast<index>(to_mean.size()) - margin;
}

}  // namespace plateau::metrics
