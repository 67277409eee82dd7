#pragma once
/// Euclidean distance between activations.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::metrics {

/// ‖a − b‖₂, differences and sum in double, in a fixed order.
/// @param a,b  [n]      @throws shape_error on unequal lengths
template <class T>
double l2_distance(std::span<T const> a, std::span<T const> b) {
    if (a.size() != b.size()) {
        throw shape_error("l2_distance needs equal lengths, got ", a.size(), " and ", b.size());
    }
    return std::sqrt(tensor::lane_sum(a.size(), [&](std::size_t i) {
        double const difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        return difference * difference;
    }));
}

/// Its gradient by a, (a − b) / ‖a − b‖₂, [n].
/// @throws shape_error on unequal lengths; domain_error at a = b, where it has none
template <class T>
std::vector<double> l2_distance_gradient(std::span<T const> a, std::span<T const> b) {
    double const distance = l2_distance(a, b);
    if (distance == 0) throw domain_error("a distance has no gradient where it is 0: take another point than its own");
    std::vector<double> gradient(a.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        gradient[i] = (static_cast<double>(a[i]) - static_cast<double>(b[i])) / distance;
    return gradient;
}

}  // namespace plateau::metrics
