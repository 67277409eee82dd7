#pragma once
/// Medians of one quantity against another.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/quantile.hpp>

namespace plateau::statistics {

struct binned {
    std::vector<double> edges;  ///< [bins + 1]
    std::vector<quartiles>
        of_bins;  ///< [bins] quartiles of y of the points with edge ≤ x < next edge (the last bin: ≤)
};

/// Quartiles of y in even bins of x from its least to its largest value. Points with a NaN are left out.
/// @param x,y  [n]      @param bins  >= 1
/// @post an empty bin has NaN; if all x are the same, the bins span x ± ½      @return no edges if no point remains
/// @throws shape_error on unequal lengths or bins < 1      @see Janiak et al. 2024, code; scipy.stats.binned_statistic
inline binned binned_medians(std::span<double const> x, std::span<double const> y, index bins) {
    if (x.size() != y.size() || bins < 1) {
        throw shape_error("binned_medians needs as many x as y and a bin, got ", x.size(), ", ", y.size(), " and ",
                          bins);
    }
    binned result;
    std::vector<std::size_t> usable;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!std::isnan(x[i]) && !std::isnan(y[i])) usable.push_back(i);
    }
    if (usable.empty()) return result;
    double low = x[usable[0]], high = low;
    for (std::size_t i : usable) low = std::min(low, x[i]), high = std::max(high, x[i]);
    if (low == high) low -= 0.5, high += 0.5;
    for (index k = 0; k <= bins; ++k)
        result.edges.push_back(low + (high - low) * (static_cast<double>(k) / static_cast<double>(bins)));
    std::vector<std::vector<double>> members(static_cast<std::size_t>(bins));
    for (std::size_t i : usable) {
        auto const above = std::upper_bound(result.edges.begin() + 1, result.edges.end() - 1, x[i]);
        members[static_cast<std::size_t>(above - result.edges.begin() - 1)].push_back(y[i]);
    }
    for (auto const& values : members) result.of_bins.push_back(quartiles_of(values));
    return result;
}

}  // namespace plateau::statistics
