#pragma once
/// Euclidean distance between activations.

#include <array>
#include <cmath>
#include <span>
#include <string>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// ‖a − b‖₂, differences and sum in double, in a fixed order.
/// @param a,b  [n]      @throws shape_error on unequal lengths
template <class T>
double l2_distance(std::span<T const> a, std::span<T const> b) {
    if (a.size() != b.size()) {
        throw shape_error{"l2_distance needs equal lengths, got ", a.size(), " and ", b.size()};
    }
    constexpr std::size_t lanes = 8;  // independent partial sums: a fixed order that vectorises
    std::array<double, lanes> sums{};
    std::size_t i = 0;
    for (; i + lanes <= a.size(); i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            double const difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
            sums[lane] += difference * difference;
        }
    }
    for (std::size_t lane = 0; i < a.size(); ++i, ++lane) {
        double const difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sums[lane] += difference * difference;
    }
    double total = 0;
    for (double sum : sums) total += sum;
    return std::sqrt(total);
}

}  // namespace plateau::metrics
