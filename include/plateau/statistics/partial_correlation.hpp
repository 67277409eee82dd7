#pragma once
/// Correlation of two quantities, apart from what covariates say about both.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::statistics {

/// Pearson's r of the residuals of x and y after least squares on the covariates and a constant.
/// By Gram-Schmidt, each projection done twice. What is left of a list is nothing if it is 1e-10 of its length about
/// its mean or less: such a covariate adds nothing to those before it.
/// @param x,y  [n]      @param covariates  any number of lists [n]; without one this is `pearson`
/// @return NaN if nothing of x or y is left (a constant, a combination of covariates, n too small), or a value is not
///         finite
/// @throws shape_error on unequal lengths      @see numpy.linalg.lstsq
inline double partial_pearson(std::span<double const> x, std::span<double const> y,
                              std::span<std::vector<double> const> covariates);

/// Partial rank correlation: the same of the ranks of x, y and the covariates. [n] each; NaN and exceptions as there,
/// infinite values have ranks.
/// @see Conover 1999, "Practical Nonparametric Statistics", section 5.4
inline double partial_spearman(std::span<double const> x, std::span<double const> y,
                               std::span<std::vector<double> const> covariates);

namespace detail {

/// Takes a list's mean and its parts along an orthonormal basis away. @return whether anything is left
inline bool residualise(std::vector<double>& list, std::vector<std::vector<double>> const& basis) {
    auto const length = [&] { return std::sqrt(tensor::dot(std::span{list}, std::span{list})); };
    double whole = 0;
    for (int pass = 0; pass < 2; ++pass) {  // the second takes away what the first has left by rounding
        double const middle =
            tensor::lane_sum(list.size(), [&](std::size_t i) { return list[i]; }) / static_cast<double>(list.size());
        for (double& value : list) value -= middle;
        if (pass == 0) whole = length();
        for (auto const& direction : basis) {
            double const along = tensor::dot(std::span{direction}, std::span{list});
            for (std::size_t i = 0; i < list.size(); ++i) list[i] -= along * direction[i];
        }
    }
    return length() > 1e-10 * whole;
}

inline void require_equal_lengths(std::span<double const> x, std::span<double const> y,
                                  std::span<std::vector<double> const> covariates) {
    if (x.size() != y.size()) {
        throw shape_error("a partial correlation needs equal lengths, got ", x.size(), " and ", y.size());
    }
    for (auto const& covariate : covariates) {
        if (covariate.size() != x.size()) {
            throw shape_error("a covariate has ", covariate.size(), " values, x and y have ", x.size());
        }
    }
}

}  // namespace detail

inline double partial_pearson(std::span<double const> x, std::span<double const> y,
                              std::span<std::vector<double> const> covariates) {
    detail::require_equal_lengths(x, y, covariates);
    double const nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<std::vector<double>> basis;
    for (auto list : covariates) {
        for (double value : list) {
            if (!std::isfinite(value)) return nan;
        }
        if (!detail::residualise(list, basis)) continue;
        double const length = std::sqrt(tensor::dot(std::span{list}, std::span{list}));
        for (double& value : list) value /= length;
        basis.push_back(std::move(list));
    }
    std::vector<double> left_x(x.begin(), x.end()), left_y(y.begin(), y.end());
    if (!detail::residualise(left_x, basis) || !detail::residualise(left_y, basis)) return nan;
    std::vector<std::array<double, 2>> points;
    for (std::size_t i = 0; i < x.size(); ++i) points.push_back({left_x[i], left_y[i]});
    return pearson(points);
}

inline double partial_spearman(std::span<double const> x, std::span<double const> y,
                               std::span<std::vector<double> const> covariates) {
    detail::require_equal_lengths(x, y, covariates);
    std::vector<std::vector<double>> ranks;
    for (auto const& covariate : covariates) ranks.push_back(covariate);
    ranks.emplace_back(x.begin(), x.end());
    ranks.emplace_back(y.begin(), y.end());
    for (auto& list : ranks) {
        for (double value : list) {
            if (std::isnan(value)) return value;
        }
        list = ranks_of(list);
    }
    return partial_pearson(ranks[covariates.size()], ranks[covariates.size() + 1],
                           std::span{ranks}.first(covariates.size()));
}

}  // namespace plateau::statistics
