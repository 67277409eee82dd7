#pragma once
/// Directions at a right angle to an activation (Gram-Schmidt).

#include <cmath>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/paths/point.hpp>

namespace plateau::paths {

/// The vector in double, at unit length. @param vector  [D] finite, not zero @throws domain_error naming `what`
template <class T>
std::vector<double> unit(std::span<T const> vector, char const* what) {
    double const scale = 1 / length_of(vector, what);
    std::vector<double> result(vector.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = scale * static_cast<double>(vector[i]);
    return result;
}

/// The unit vector along the part of d that is orthogonal to all of `basis`. Two passes of Gram-Schmidt, in double.
/// @param d  [D]      @param basis  orthonormal vectors [D]
/// @throws shape_error on unequal lengths; domain_error if d is zero, or lies in the span of basis to within 1e-6 |d|
template <class T>
std::vector<double> tangent(std::span<T const> d, std::initializer_list<std::span<double const>> basis) {
    auto direction = unit(d, "the direction");
    for (int pass = 0; pass < 2; ++pass) {
        for (auto const& e : basis) {
            require_equal_lengths("a tangent", d.size(), e);
            double const share = tensor::dot(e, std::span{direction});
            for (std::size_t i = 0; i < direction.size(); ++i) direction[i] -= share * e[i];
        }
        double const left = std::sqrt(tensor::dot(std::span{direction}, std::span{direction}));
        if (!(left > 1e-6)) {
            throw domain_error(
                "the direction is parallel to the activation, or to the directions before it: nothing of it "
                "is orthogonal to them");
        }
        for (double& x : direction) x /= left;
    }
    return direction;
}

}  // namespace plateau::paths
