#pragma once
/// A family of curves in short: its median curve and quartile band.

#include <algorithm>
#include <cmath>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/tensor/view.hpp>
#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// Pointwise quartiles over the curves that are finite everywhere.
struct curve_band {
    std::vector<index> curves;             ///< the rows that count, ascending
    std::vector<double> q25, median, q75;  ///< [S]; empty if no row counts
};

/// @param curves  [P,S]; a row with a value that is not finite (a degenerate pair) is left out
inline curve_band band_of(tensor::view<double const, 2> curves) {
    curve_band band;
    index const points = curves.extent(1);
    for (index p = 0; p < curves.extent(0); ++p) {
        bool finite = true;
        for (index s = 0; s < points && finite; ++s) finite = std::isfinite(curves(p, s));
        if (finite) band.curves.push_back(p);
    }
    if (band.curves.empty()) return band;
    std::vector<double> column(band.curves.size());
    for (index s = 0; s < points; ++s) {
        std::transform(band.curves.begin(), band.curves.end(), column.begin(), [&](index p) { return curves(p, s); });
        std::sort(column.begin(), column.end());
        band.q25.push_back(statistics::quantile(column, 0.25));
        band.median.push_back(statistics::quantile(column, 0.5));
        band.q75.push_back(statistics::quantile(column, 0.75));
    }
    return band;
}

/// The values worth showing: [0, 1], the whole band, and all but the 2 % of the curves that stray furthest
/// to each side, these no further than half the band's range.
inline interval shown_range(tensor::view<double const, 2> curves, curve_band const& band) {
    interval range{0, 1};
    if (band.median.empty()) return range;
    std::vector<double> lows, highs;
    for (index p : band.curves) {
        auto const curve = curves[p];
        auto const [low, high] = std::minmax_element(curve.data(), curve.data() + curve.extent(0));
        lows.push_back(*low);
        highs.push_back(*high);
    }
    std::sort(lows.begin(), lows.end());
    std::sort(highs.begin(), highs.end());
    constexpr double huge = 1e9;  // keeps the arithmetic of absurd inputs finite
    range.low = std::clamp(*std::min_element(band.q25.begin(), band.q25.end()), -huge, 0.0);
    range.high = std::clamp(*std::max_element(band.q75.begin(), band.q75.end()), 1.0, huge);
    double const reach = 0.5 * range.length();
    range.low = std::clamp(statistics::quantile(lows, 0.02), range.low - reach, range.low);
    range.high = std::clamp(statistics::quantile(highs, 0.98), range.high, range.high + reach);
    return range;
}

}  // namespace plateau::viz
