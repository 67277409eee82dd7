#pragma once
/// Shrinkage of a covariance of few samples towards a sphere.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <plateau/statistics/running_covariance.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::directions {

/// @throws domain_error unless 0 <= shrinkage <= 1
inline void require_shrinkage(double shrinkage) {
    if (!(shrinkage >= 0 && shrinkage <= 1))
        throw domain_error("a covariance is shrunk by a share in [0, 1], got ", std::to_string(shrinkage));
}

/// Mean variance of a coordinate, tr Σ / D. @param covariance  [D, D]
inline double mean_variance(tensor::view<double const, 2> covariance) {
    double sum = 0;
    for (index i = 0; i < covariance.extent(0); ++i) sum += covariance(i, i);
    return sum / static_cast<double>(covariance.extent(0));
}

/// Σ ← (1 − s) Σ + s (tr Σ / D) I, in place. @param covariance  [D, D]      @throws shape_error, domain_error unless s
/// ∈ [0, 1]
inline void shrink(tensor::view<double, 2> covariance, double shrinkage) {
    require_shrinkage(shrinkage);
    tensor::require_extents(covariance.extents(), {covariance.extent(0), covariance.extent(0)}, "a covariance");
    double const sphere = mean_variance(covariance);
    for (index i = 0; i < covariance.extent(0); ++i) {
        for (double& x : covariance[i].flat()) x *= 1 - shrinkage;
        covariance(i, i) += shrinkage * sphere;
    }
}

/// Oracle approximating shrinkage, from the covariance alone, with m = mean of Σ_ij², t = tr Σ / D:
///     s = min(1, (m + t²) / ((n + 1)(m − t² / D)))
/// @param covariance  [D, D], Σ (x − mean)(x − mean)ᵀ / n (ddof = 0)      @param count  n >= 1
/// @return in [0, 1]; 1 for a sphere      @throws shape_error
/// @see Chen, Wiesel, Eldar & Hero 2010, eq. 23 as scikit-learn's OAS has it
inline double oas_shrinkage(tensor::view<double const, 2> covariance, index count) {
    tensor::require_extents(covariance.extents(), {covariance.extent(0), covariance.extent(0)}, "a covariance");
    if (covariance.extent(0) < 1 || count < 1)
        throw shape_error("shrinkage needs at least one sample and one dimension");
    double const d = static_cast<double>(covariance.extent(0)), t = mean_variance(covariance);
    double squares = 0;
    for (index i = 0; i < covariance.extent(0); ++i) squares += tensor::dot(covariance[i].flat(), covariance[i].flat());
    double const m = squares / (d * d), below = (static_cast<double>(count) + 1) * (m - t * t / d);
    return below > 0 ? std::min(1.0, (m + t * t) / below) : 1;
}

/// Ledoit and Wolf's shrinkage: the share that is optimal for many samples, estimated from the rows x_k less their
/// mean:
///     s = min(β, δ) / δ,   δ = (‖Σ‖² − D t²) / D,   β = (Σ_k |x_k|⁴ / n − ‖Σ‖²) / (n D),   Σ with ddof = 0, t = tr Σ /
///     D
/// @param rows  [n, D], n >= 1, finite      @return in [0, 1]; 0 where β is 0      @throws shape_error
/// @see Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices"
template <class T>
double ledoit_wolf_shrinkage(tensor::view<T const, 2> rows) {
    statistics::running_covariance all{rows.extent(1)};
    all.add(rows);
    auto const covariance = all.covariance(0);
    double const n = static_cast<double>(rows.extent(0)), d = static_cast<double>(rows.extent(1)),
                 t = mean_variance(covariance);
    double fourth = 0, squares = 0;
    for (index k = 0; k < rows.extent(0); ++k) {
        double const length = tensor::lane_sum(all.mean().size(), [&](std::size_t i) {
            double const x = static_cast<double>(rows(k, static_cast<index>(i))) - all.mean()[i];
            return x * x;
        });
        fourth += length * length;
    }
    for (double const x : covariance.view().flat()) squares += x * x;
    double const delta = (squares - d * t * t) / d, beta = std::min((fourth / n - squares) / (n * d), delta);
    return beta > 0 ? beta / delta : 0;
}

}  // namespace plateau::directions
