#pragma once
/// Distances of other norms than the Euclidean.

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::metrics {

/// ‖a − b‖_p = (Σ |a_i − b_i|^p)^(1/p); p = ∞ gives the largest |a_i − b_i|. In units of the largest difference, so
/// that powers neither overflow nor vanish; in double.
/// @param a,b  [n]      @param p  >= 1, or infinity      @post NaN if an element is
/// @throws shape_error on unequal lengths; domain_error on another p
template <class T>
double lp_distance(std::span<T const> a, std::span<T const> b, double p) {
    if (a.size() != b.size()) throw shape_error("lp_distance needs equal lengths, got ", a.size(), " and ", b.size());
    if (!(p >= 1)) throw domain_error("a norm needs p >= 1, got ", std::to_string(p));
    auto const difference = [&](std::size_t i) {
        return std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    };
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        double const d = difference(i);
        if (std::isnan(d)) return d;
        largest = std::max(largest, d);
    }
    if (largest == 0 || std::isinf(largest) || std::isinf(p)) return largest;
    return largest *
           std::pow(tensor::lane_sum(a.size(), [&](std::size_t i) { return std::pow(difference(i) / largest, p); }),
                    1 / p);
}

}  // namespace plateau::metrics
