#pragma once
/// Normal distributions with the mean and covariance of activations.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <plateau/directions/gaussian.hpp>
#include <plateau/directions/shrinkage.hpp>
#include <plateau/tensor/symmetric_eigen.hpp>

namespace plateau::directions {

/// What becomes of a covariance that is singular, or has negative eigenvalues.
enum class not_definite {
    refuse,  ///< domain_error
    clip,    ///< the nearest matrix without negative eigenvalues (in Frobenius norm): those are set to 0. O(D³), ten
             ///< times slower
};

/// N(mean, covariance). @param mean  [D]      @param covariance  [D, D] symmetric
/// @throws shape_error; domain_error on NaN, or if the covariance is not positive definite and is not to be clipped
/// @see Higham 1988, "Computing a nearest symmetric positive semidefinite matrix"
inline gaussian fit_gaussian(std::vector<double> mean, tensor::view<double const, 2> covariance,
                             not_definite otherwise = not_definite::refuse) {
    tensor::require_extents(covariance.extents(), {static_cast<index>(mean.size()), static_cast<index>(mean.size())},
                            "the covariance beside this mean");
    auto factor = tensor::cholesky_of_symmetric(covariance);
    if (factor) return {std::move(mean), std::move(*factor)};
    if (otherwise == not_definite::refuse) {
        throw domain_error(
            "the covariance is singular or has negative eigenvalues: give more samples than dimensions, shrink it, "
            "clip it, or fit the "
            "rows themselves");
    }
    auto eigen = tensor::eigen_of_symmetric(covariance);
    for (index k = 0; k < eigen.vectors.extent(0); ++k) {
        double const deviation = std::sqrt(std::max(0.0, eigen.values[static_cast<std::size_t>(k)]));
        for (double& x : eigen.vectors[k].flat()) x *= deviation;
    }
    return {std::move(mean), std::move(eigen.vectors)};
}

/// N(μ, (1 − s) Σ + s (tr Σ / D) I) of what statistics have seen, Σ with ddof = 1.
/// @param shrinkage  s in [0, 1], 0 as published      @throws shape_error for fewer than 2 rows; domain_error for no
///        more rows than dimensions without shrinkage (Σ is singular then), or on NaN
inline gaussian fit_gaussian(statistics::running_covariance const& seen, double shrinkage,
                             not_definite otherwise = not_definite::refuse) {
    require_shrinkage(shrinkage);
    auto covariance = seen.covariance();
    if (seen.count() <= seen.width() && shrinkage == 0 && otherwise == not_definite::refuse) {
        throw domain_error(seen.count(), " samples of ", seen.width(),
                           " dimensions have a singular covariance: give more, shrink it, clip it, or fit the rows "
                           "themselves");
    }
    shrink(covariance, shrinkage);
    return fit_gaussian(seen.mean(), covariance, otherwise);
}

namespace detail {

struct centred_rows_result {
    std::vector<double> mean;          ///< [D]
    tensor::buffer<double, 2> factor;  ///< [n, D] scale (x_k − μ) / √(n − 1)
    double variance;                   ///< tr Σ / D
};

/// @throws shape_error if n < 2
template <class T>
centred_rows_result centred_rows(tensor::view<T const, 2> rows, double scale) {
    index const n = rows.extent(0), d = rows.extent(1);
    if (n < 2) throw shape_error("a covariance needs at least 2 rows, got ", n);
    centred_rows_result result{std::vector<double>(static_cast<std::size_t>(d)), tensor::buffer<double, 2>{{n, d}}, 0};
    for (index k = 0; k < n; ++k) {
        for (index i = 0; i < d; ++i) result.mean[static_cast<std::size_t>(i)] += static_cast<double>(rows(k, i));
    }
    for (double& x : result.mean) x /= static_cast<double>(n);
    double const weight = 1 / std::sqrt(static_cast<double>(n - 1));
    for (index k = 0; k < n; ++k) {
        for (index i = 0; i < d; ++i) {
            double const x = weight * (static_cast<double>(rows(k, i)) - result.mean[static_cast<std::size_t>(i)]);
            result.variance += x * x / static_cast<double>(d);
            result.factor(k, i) = scale * x;
        }
    }
    return result;
}

}  // namespace detail

/// The same of rows that are at hand, without a matrix [D, D]: exactly N(μ, (1 − s) Σ + s (tr Σ / D) I), by
///     x = μ + √(1 − s) Σ_k z_k (x_k − μ) / √(n − 1) + √(s tr Σ / D) z'
/// for any number of rows; with fewer than dimensions, and s = 0, draws stay in the affine space of the rows. O(n D)
/// @param rows  [n, D], finite      @throws shape_error if n < 2; domain_error on NaN or unless s ∈ [0, 1]
template <class T>
gaussian fit_gaussian(tensor::view<T const, 2> rows, double shrinkage) {
    require_shrinkage(shrinkage);
    auto centred = detail::centred_rows(rows, std::sqrt(1 - shrinkage));
    return {std::move(centred.mean), std::move(centred.factor), shrinkage * centred.variance};
}

}  // namespace plateau::directions
