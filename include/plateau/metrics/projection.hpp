#pragma once
/// The share of the way from a to b that a point has gone.

#include <limits>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::metrics {

/// ⟨x − a, b − a⟩ / |b − a|²: 0 at a, 1 at b, whatever x does at right angles. In double.
/// With read-outs F(X), F(A), F(B) the projected curve of a path; with the mean of the activations as x, α_mean, the
/// foot of the mean on the line from a to b.
/// @param x,a,b  [n]      @post NaN if a = b      @throws shape_error on unequal lengths
/// @see Janiak et al. 2024, code (α_mean)
template <class T>
double projection(std::span<T const> x, std::span<T const> a, std::span<T const> b) {
    if (x.size() != a.size() || x.size() != b.size()) {
        throw shape_error("projection needs equal lengths, got ", x.size(), ", ", a.size(), " and ", b.size());
    }
    double const product = tensor::lane_sum(x.size(), [&](std::size_t i) {
        double const from = static_cast<double>(a[i]);
        return (static_cast<double>(x[i]) - from) * (static_cast<double>(b[i]) - from);
    });
    double const squared = tensor::lane_sum(x.size(), [&](std::size_t i) {
        double const difference = static_cast<double>(b[i]) - static_cast<double>(a[i]);
        return difference * difference;
    });
    return squared > 0 ? product / squared : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace plateau::metrics
