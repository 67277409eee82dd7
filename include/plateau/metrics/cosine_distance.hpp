#pragma once
/// One minus the cosine.

#include <cmath>
#include <limits>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::metrics {

/// 1 − cos ∠(a, b) = ½ |â − b̂|² ∈ [0, 2]: this form keeps its precision at small angles. In double.
/// @param a,b  [n]      @post NaN if either is the zero vector, or not finite      @throws shape_error on unequal
/// lengths
template <class T>
double cosine_distance(std::span<T const> a, std::span<T const> b) {
    if (a.size() != b.size())
        throw shape_error("cosine_distance needs equal lengths, got ", a.size(), " and ", b.size());
    double const norm_a = std::sqrt(tensor::dot(a, a)), norm_b = std::sqrt(tensor::dot(b, b));
    if (norm_a == 0 || norm_b == 0) return std::numeric_limits<double>::quiet_NaN();
    return 0.5 * tensor::lane_sum(a.size(), [&](std::size_t i) {
               double const difference = static_cast<double>(a[i]) / norm_a - static_cast<double>(b[i]) / norm_b;
               return difference * difference;
           });
}

}  // namespace plateau::metrics
