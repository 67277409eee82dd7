#pragma once
/// Euclidean distance between activations.

#include <cmath>
#include <span>
#include <string>

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

}  // namespace plateau::metrics
