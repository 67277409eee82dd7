#pragma once
/// The distance of a path from the places where activations are.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/cumulative_arc.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/tensor/lane_sum.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

/// Distance of x to its k-th nearest among `samples`. @param x  [D]      @param samples  [N, D]      @param k  from 1
/// @throws shape_error unless 1 <= k <= N and widths agree. O(N D)      @see MARS V (kNN radius)
template <class T>
double knn_radius(std::span<T const> x, tensor::view<T const, 2> samples, index k) {
    if (k < 1 || k > samples.extent(0))
        throw shape_error("there is no ", k, "-th nearest of ", samples.extent(0), " samples");
    std::vector<double> distances;
    for (index i = 0; i < samples.extent(0); ++i) distances.push_back(l2_distance<T>(x, samples[i].flat()));
    std::nth_element(distances.begin(), distances.begin() + (k - 1), distances.end());
    return distances[static_cast<std::size_t>(k - 1)];
}

/// 1 − min_i ‖x_i‖ / ((1 − t_i)‖x_0‖ + t_i‖x_{S−1}‖), t_i = i / (S − 1): the deepest dip of the norm below its straight
/// course; 0 for slerp_rescaled, 1 − cos(Ω/2) for a straight line between equal norms at the angle Ω.
/// @param points  [S, D], S >= 2      @return NaN if the straight course is zero somewhere      @throws shape_error
template <class T>
double norm_dip(tensor::view<T const, 2> points) {
    index const count = points.extent(0);
    if (count < 2) throw shape_error("norm_dip needs at least 2 points, got ", count);
    auto const norm = [&](index i) { return std::sqrt(tensor::dot(points[i].flat(), points[i].flat())); };
    double const first = norm(0), last = norm(count - 1);
    double least = 1;
    for (index i = 0; i < count; ++i) {
        double const t = static_cast<double>(i) / static_cast<double>(count - 1);
        double const course = (1 - t) * first + t * last;
        if (!(course > 0)) return std::numeric_limits<double>::quiet_NaN();
        least = std::fmin(least, norm(i) / course);
    }
    return 1 - least;
}

/// Length of a path over the distance of its ends, >= 1: 1 for a straight line. @param points  [S, D], S >= 2
/// @return NaN if the ends are the same      @throws shape_error      @see "There are walls in language models" (detour
/// ratio)
template <class T>
double detour_ratio(tensor::view<T const, 2> points) {
    if (points.extent(0) < 2) throw shape_error("detour_ratio needs at least 2 points, got ", points.extent(0));
    double length = 0;
    for (double step : step_lengths(points)) length += step;
    double const straight = l2_distance<T>(points[0].flat(), points[points.extent(0) - 1].flat());
    return straight > 0 ? length / straight : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace plateau::metrics
