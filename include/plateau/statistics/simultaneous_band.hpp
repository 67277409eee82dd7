#pragma once
/// Simultaneous confidence band of a curve, from bootstrap replicates.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::statistics {

/// A curve with the band that holds the whole true curve at its level.
struct band {
    std::vector<double> value;      ///< [C] the estimate
    std::vector<double> low, high;  ///< [C] value ∓ factor · standard deviation over replicates
    double factor;                  ///< q, the same for the whole curve
};

/// The max-|t| band: q is the `level` quantile over replicates b of max_c |r_bc − value_c| / s_c, where s_c is the
/// standard deviation of column c (n − 1 below); the replicate of rank (B + 1) level, linear between ranks, as for
/// `percentile_estimate`. A column whose replicates are all equal has width zero, and the band of one with a NaN is
/// NaN; neither counts for q, which is 0 if no column does.
/// @param value  [C] the curve of the sample      @param replicates  [B, C], the curves of resamples, dependent over C
/// @param level  share of repetitions in which the whole true curve is to lie in the band
/// @throws shape_error if C = 0, B < 2 or the extents differ; usage_error unless 0 < level < 1
/// @see Montiel Olea & Plagborg-Møller 2019, "Simultaneous confidence bands", section 2
inline band simultaneous_band(std::span<double const> value, tensor::view<double const, 2> replicates,
                              double level = 0.95) {
    index const count = replicates.extent(0), columns = replicates.extent(1);
    if (count < 2 || columns < 1 || columns != static_cast<index>(value.size())) {
        throw shape_error("a band needs at least 2 replicates of a curve, got [", count, ", ", columns,
                          "] for a curve of ", value.size(), " values");
    }
    if (!(level > 0 && level < 1)) throw usage_error("the level of a band is in (0, 1), got ", std::to_string(level));
    std::vector<double> largest(static_cast<std::size_t>(count)), deviations;
    for (index c = 0; c < columns; ++c) {
        double const centre = value[static_cast<std::size_t>(c)];
        double middle = 0, squares = 0;
        bool varies = false;
        for (index b = 0; b < count; ++b) {
            middle += replicates(b, c) / static_cast<double>(count);
            varies = varies || replicates(b, c) != replicates(0, c);
        }
        for (index b = 0; b < count; ++b) squares += (replicates(b, c) - middle) * (replicates(b, c) - middle);
        double deviation = std::sqrt(squares / static_cast<double>(count - 1));
        if (!varies && !std::isnan(deviation)) deviation = 0;  // the mean of equal values is rounded
        deviations.push_back(deviation);
        if (!(deviation > 0) || !std::isfinite(centre)) continue;
        for (index b = 0; b < count; ++b) {
            double& most = largest[static_cast<std::size_t>(b)];
            most = std::max(most, std::abs(replicates(b, c) - centre) / deviation);
        }
    }
    std::sort(largest.begin(), largest.end());
    double const n = static_cast<double>(count);
    band found{
        {value.begin(), value.end()}, {}, {}, quantile(largest, std::clamp(((n + 1) * level - 1) / (n - 1), 0.0, 1.0))};
    for (std::size_t c = 0; c < value.size(); ++c) {
        found.low.push_back(value[c] - found.factor * deviations[c]);
        found.high.push_back(value[c] + found.factor * deviations[c]);
    }
    return found;
}

/// The clock of a curve: the first of its points from which on the band holds the final value, at that point and at
/// all later ones. The final value is an estimate too: noise that it does not share with earlier points makes clocks
/// late more often than 1 − level. @return nothing if the band of the last point is NaN
inline std::optional<index> first_inside(band const& curve) {
    std::size_t first = curve.value.size();
    while (first > 0 && curve.low[first - 1] <= curve.value.back() && curve.value.back() <= curve.high[first - 1])
        --first;
    if (first == curve.value.size()) return std::nullopt;
    return static_cast<index>(first);
}

}  // namespace plateau::statistics
