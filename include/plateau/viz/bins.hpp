#pragma once
/// Histograms that stay readable: round bin edges, stragglers counted beside the picture.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/viz/geometry.hpp>
#include <plateau/viz/ticks.hpp>

namespace plateau::viz {

/// Counts over equal bins [first + i·width, first + (i+1)·width).
struct bins {
    double first = 0;
    double width = 1;
    std::vector<index> counts;
    index below = 0;  ///< values under the first bin
    index above = 0;  ///< values over the last bin

    double edge(std::size_t i) const { return first + static_cast<double>(i) * width; }
    double last() const { return edge(counts.size()); }
};

/// Bins of a nice width near that of Freedman and Diaconis, 2·IQR·n^(−1/3), about 5 to 40 of them, with
/// edges at multiples of the width. Values further than 5·IQR from the quartiles lie outside the bins and
/// are counted in `below` and `above`. Equal values give one bin around them.
/// @param sorted  [n] ascending, finite; n = 0 gives no bins
/// @post below + sum(counts) + above = n
/// @see Freedman & Diaconis 1981
inline bins bins_of(std::span<double const> sorted) {
    bins result;
    if (sorted.empty()) return result;
    double const lower = statistics::quantile(sorted, 0.25), upper = statistics::quantile(sorted, 0.75);
    double const spread = upper - lower;
    interval range{sorted.front(), sorted.back()};
    if (spread > 0) {  // the outermost values that are no stragglers
        range.low = *std::lower_bound(sorted.begin(), sorted.end(), lower - 5 * spread);
        range.high = *std::prev(std::upper_bound(sorted.begin(), sorted.end(), upper + 5 * spread));
    }
    constexpr double huge = 1e12;  // keeps the arithmetic of absurd inputs finite
    range = {std::clamp(range.low, -huge, huge), std::clamp(range.high, -huge, huge)};
    double const size = std::max(std::abs(range.low), std::abs(range.high));
    if (range.length() <= std::max(1e-9 * size, 1e-100)) {
        result.width = nice_step(std::max(0.03 * size, 1e-12));
        result.first = range.low - result.width / 2;
        result.counts.assign(1, 0);
    } else {
        double const rule = 2 * spread / std::cbrt(static_cast<double>(sorted.size()));
        result.width =
            nice_step(std::clamp(0.7 * rule, range.length() / 40, range.length() / 6));  // rounded up from here
        result.first = std::floor(range.low / result.width + 1e-9) * result.width;
        double const count = std::floor((range.high - result.first) / result.width + 1e-9) + 1;
        result.counts.assign(static_cast<std::size_t>(count), 0);
    }
    for (double value : sorted) {
        double const place = std::floor((value - result.first) / result.width + 1e-9);
        if (place < 0) ++result.below;
        else if (place >= static_cast<double>(result.counts.size())) ++result.above;
        else ++result.counts[static_cast<std::size_t>(place)];
    }
    return result;
}

}  // namespace plateau::viz
