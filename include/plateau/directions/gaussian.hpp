#pragma once
/// Draws of a multivariate normal distribution: a random activation with the statistics of real ones.

#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/normal.hpp>
#include <plateau/directions/concepts.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::directions {

/// N(μ, Σ) with Σ = FᵀF + r I, by a factor of any number of rows:
///     x = μ + Σ_k z_k f_k + √r z',   z, z' ~ N(0, I)
/// so that a factor of fewer rows than dimensions will do. O(K D) a draw. Copies share the factor.
/// `fit_gaussian` makes one of statistics or of rows.
class gaussian {
public:
    /// @param mean  [D], finite      @param factor  [K, D], K >= 0      @param ridge  r >= 0, variance added in every
    /// direction
    /// @throws shape_error; domain_error on a NaN, an infinity or r < 0
    gaussian(std::vector<double> mean, tensor::buffer<double, 2> factor, double ridge = 0)
        : mean_{std::move(mean)}, factor_{std::make_shared<tensor::buffer<double, 2> const>(std::move(factor))},
          ridge_{ridge} {
        if (mean_.empty()) throw shape_error("a normal distribution needs at least one dimension");
        tensor::require_extents(factor_->extents(), {factor_->extent(0), static_cast<index>(mean_.size())},
                                "the factor of a covariance");
        bool finite = std::isfinite(ridge) && ridge >= 0;
        for (double const x : mean_) finite = finite && std::isfinite(x);
        for (double const x : factor_->view().flat()) finite = finite && std::isfinite(x);
        if (!finite)
            throw domain_error(
                "a normal distribution needs a finite mean and covariance, and no negative ridge: look for NaN in the "
                "rows");
    }

    std::vector<double> operator()(counter_rng& rng) const {
        auto point = mean_;
        for (index k = 0; k < factor_->extent(0); ++k) {
            double const z = standard_normal(rng);
            double const* const f = factor_->data() + k * width();
            for (std::size_t i = 0; i < point.size(); ++i) point[i] += z * f[i];
        }
        if (ridge_ > 0) {
            double const deviation = std::sqrt(ridge_);
            for (double& x : point) x += deviation * standard_normal(rng);
        }
        return point;
    }

    index width() const { return static_cast<index>(mean_.size()); }
    index rank() const { return factor_->extent(0); }  ///< rows of the factor
    std::vector<double> const& mean() const { return mean_; }

private:
    std::vector<double> mean_;
    std::shared_ptr<tensor::buffer<double, 2> const> factor_;
    double ridge_;
};

static_assert(Sampler<gaussian>);

}  // namespace plateau::directions
