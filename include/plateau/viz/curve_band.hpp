#pragma once
/// A family of curves in short: its median curve and quartile band, in little memory however many there are.

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/statistics/quantile.hpp>
#include <plateau/tensor/view.hpp>
#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// Curves that are looked at one after the other, as often as need be: those of a matrix, or read from where they lie.
class curve_rows {
public:
    using taker = std::function<void(index number, std::span<double const> curve)>;

    /// @param curves  [P,S], kept as a reference
    curve_rows(tensor::view<double const, 2> curves)
        : count_{curves.extent(0)}, points_{curves.extent(1)}, each_{[curves](taker const& take) {
              for (index p = 0; p < curves.extent(0); ++p) take(p, curves[p].flat());
          }} {}
    /// @param each  calls take(p, curve) of `count` curves of `points` numbers in order
    curve_rows(index count, index points, std::function<void(taker const& take)> each)
        : count_{count}, points_{points}, each_{std::move(each)} {}

    index count() const { return count_; }
    index points() const { return points_; }
    void each(taker const& take) const { each_(take); }

private:
    index count_, points_;
    std::function<void(taker const&)> each_;
};

/// Pointwise quartiles over the curves that are finite everywhere.
struct curve_band {
    std::vector<index> curves;             ///< the rows that count, ascending
    std::vector<double> q25, median, q75;  ///< [S]; empty if no row counts
};

/// @param curves  [P,S]; a row with a value that is not finite (a degenerate pair) is left out
/// @param at_once  numbers that are in memory at a time, unless one column has more
inline curve_band band_of(curve_rows const& curves, index at_once = index{1} << 22) {
    curve_band band;
    index const points = curves.points();
    curves.each([&](index p, std::span<double const> curve) {
        if (std::all_of(curve.begin(), curve.end(), [](double x) { return std::isfinite(x); }))
            band.curves.push_back(p);
    });
    if (band.curves.empty()) return band;
    // some columns at a time, each time through all curves
    index const group = std::clamp<index>(at_once / std::ssize(band.curves), 1, points);
    std::vector<std::vector<double>> columns(static_cast<std::size_t>(group));
    for (index first = 0; first < points; first += group) {
        auto const here = static_cast<std::size_t>(std::min(group, points - first));
        for (auto& column : columns) column.clear(), column.reserve(band.curves.size());
        auto next = band.curves.begin();
        curves.each([&](index p, std::span<double const> curve) {
            if (next == band.curves.end() || *next != p) return;
            for (std::size_t k = 0; k < here; ++k) columns[k].push_back(curve[static_cast<std::size_t>(first) + k]);
            ++next;
        });
        for (std::size_t k = 0; k < here; ++k) {
            auto& column = columns[k];
            std::sort(column.begin(), column.end());
            band.q25.push_back(statistics::quantile(column, 0.25));
            band.median.push_back(statistics::quantile(column, 0.5));
            band.q75.push_back(statistics::quantile(column, 0.75));
        }
    }
    return band;
}

/// The values worth showing: [0, 1], the whole band, and all but the 2 % of the curves that stray furthest
/// to each side, these no further than half the band's range.
inline interval shown_range(curve_rows const& curves, curve_band const& band) {
    interval range{0, 1};
    if (band.median.empty()) return range;
    std::vector<double> lows, highs;
    auto next = band.curves.begin();
    curves.each([&](index p, std::span<double const> curve) {
        if (next == band.curves.end() || *next != p) return;
        auto const [low, high] = std::minmax_element(curve.begin(), curve.end());
        lows.push_back(*low);
        highs.push_back(*high);
        ++next;
    });
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
