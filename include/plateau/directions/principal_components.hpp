#pragma once
/// The directions in which activations vary most.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/directions/fit_gaussian.hpp>

namespace plateau::directions {

struct principal_components {
    std::vector<double> variances;  ///< [k], descending: variance of the activations along each, ddof = 1
    tensor::buffer<double, 2>
        components;  ///< [k, D] orthonormal; the largest element of each, by magnitude, is positive
};

namespace detail {

/// @param eigen  of a matrix with the same non-zero eigenvalues      @throws domain_error if there are not `count` of
/// them
inline std::vector<double> largest_variances(tensor::symmetric_eigen const& eigen, index count) {
    double const floor = 1e-12 * std::max(eigen.values.back(), 0.0);
    auto const rank = std::count_if(eigen.values.begin(), eigen.values.end(), [&](double x) { return x > floor; });
    if (count < 1 || count > rank)
        throw domain_error("these activations vary in ", rank, " directions, there are no ", count,
                           " principal components");
    return {eigen.values.rbegin(), eigen.values.rbegin() + count};
}

inline void fix_sign(std::span<double> component) {
    auto const largest = std::max_element(component.begin(), component.end(),
                                          [](double x, double y) { return std::abs(x) < std::abs(y); });
    if (*largest > 0) return;
    for (double& x : component) x = -x;
}

}  // namespace detail

/// Eigenvectors of a covariance with the largest eigenvalues. @param covariance  [D, D]      @param count  k >= 1
/// @throws shape_error; domain_error on NaN, or if fewer than k eigenvalues are above 1e-12 of the largest. O(D³)
inline principal_components principal_components_of(tensor::view<double const, 2> covariance, index count) {
    auto const eigen = tensor::eigen_of_symmetric(covariance);
    principal_components result{detail::largest_variances(eigen, count),
                                tensor::buffer<double, 2>{{count, covariance.extent(0)}}};
    for (index k = 0; k < count; ++k) {
        std::ranges::copy(eigen.vectors[eigen.vectors.extent(0) - 1 - k].flat(), result.components[k].data());
        detail::fix_sign(result.components[k].flat());
    }
    return result;
}

/// The same of rows x_k less their mean, by the eigenvectors u of the matrix [n, n] of their products: v = Σ_k u_k x_k
/// / √λ. For fewer rows than dimensions: O(n² (n + D)). @param rows  [n, D]      @throws shape_error if n < 2;
/// domain_error as above
template <class T>
principal_components principal_components_of_rows(tensor::view<T const, 2> rows, index count) {
    index const n = rows.extent(0), d = rows.extent(1);
    auto const centred = detail::centred_rows(rows, 1);
    tensor::buffer<double, 2> products({n, n});
    for (index i = 0; i < n; ++i) {
        for (index j = 0; j <= i; ++j)
            products(i, j) = products(j, i) = tensor::dot(centred.factor[i].flat(), centred.factor[j].flat());
    }
    auto const eigen = tensor::eigen_of_symmetric(products);
    principal_components result{detail::largest_variances(eigen, count), tensor::buffer<double, 2>{{count, d}}};
    for (index k = 0; k < count; ++k) {
        double const scale = 1 / std::sqrt(result.variances[static_cast<std::size_t>(k)]);
        for (index i = 0; i < n; ++i) {
            double const weight = scale * eigen.vectors(n - 1 - k, i);
            for (index j = 0; j < d; ++j) result.components(k, j) += weight * centred.factor(i, j);
        }
        detail::fix_sign(result.components[k].flat());
    }
    return result;
}

}  // namespace plateau::directions
