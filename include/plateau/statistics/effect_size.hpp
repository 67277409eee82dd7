#pragma once
/// How large a difference between two samples is.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::statistics {

/// Cohen's d = (mean x − mean y) / s, s² = ((n−1) s_x² + (m−1) s_y²) / (n + m − 2).
/// @param x  [n], y [m], n, m >= 2      @return NaN if s = 0 or a value is NaN      @throws shape_error if n or m < 2
inline double cohens_d(std::span<double const> x, std::span<double const> y) {
    if (x.size() < 2 || y.size() < 2) {
        throw shape_error("an effect size needs at least 2 values a sample, got ", x.size(), " and ", y.size());
    }
    double means[2], squares = 0;
    for (int k = 0; k < 2; ++k) {
        auto const sample = k == 0 ? x : y;
        double sum = 0;
        for (double value : sample) sum += value;
        means[k] = sum / static_cast<double>(sample.size());
        for (double value : sample) squares += (value - means[k]) * (value - means[k]);
    }
    double const deviation = std::sqrt(squares / static_cast<double>(x.size() + y.size() - 2));
    return deviation > 0 ? (means[0] - means[1]) / deviation : std::numeric_limits<double>::quiet_NaN();
}

/// Cliff's δ = P(x > y) − P(x < y) ∈ [−1, 1] over all pairs of values: robust, no unit. O((n + m) log m)
/// @return NaN if a value is NaN      @throws shape_error if a sample is empty
inline double cliffs_delta(std::span<double const> x, std::span<double const> y) {
    if (x.empty() || y.empty()) throw shape_error("an effect size needs two samples that are not empty");
    auto const is_nan = [](double value) { return std::isnan(value); };
    if (std::any_of(x.begin(), x.end(), is_nan) || std::any_of(y.begin(), y.end(), is_nan)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    std::vector<double> sorted(y.begin(), y.end());
    std::sort(sorted.begin(), sorted.end());
    double balance = 0;
    for (double value : x) {
        auto const below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        auto const above = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), value);
        balance += static_cast<double>(below - above);
    }
    return balance / static_cast<double>(x.size()) / static_cast<double>(y.size());
}

}  // namespace plateau::statistics
