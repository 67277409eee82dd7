#pragma once
/// Why a mean changed: more values of the high kind, or higher values.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include <plateau/core/types.hpp>

namespace plateau::statistics {

/// A sample split at a threshold:   mean = s h + (1 − s) l.
struct share_and_level {
    double share;  ///< s: of values ≥ threshold
    double above;  ///< h: their mean; NaN if there is none
    double below;  ///< l: the mean of the others; NaN if there is none
    index count;   ///< values that are numbers

    double mean() const { return (share > 0 ? share * above : 0) + (share < 1 ? (1 - share) * below : 0); }
};

/// @param values  [n], NaN marks a missing value      @return share NaN if nothing remains
inline share_and_level share_and_level_of(std::span<double const> values, double threshold) {
    double sums[2] = {0, 0}, counts[2] = {0, 0};
    for (double const x : values) {
        if (std::isnan(x)) continue;
        sums[x >= threshold] += x;
        ++counts[x >= threshold];
    }
    double const n = counts[0] + counts[1];
    return {counts[1] / n, sums[1] / counts[1], sums[0] / counts[0], static_cast<index>(n)};  // 0 / 0 is NaN
}

/// The parts of Δ mean = mean after − mean before; they add up to it.
struct change_parts {
    double total;
    double from_share;  ///< Δs (h̄ − l̄): more values are above
    double from_above;  ///< s̄ Δh: those above are higher
    double from_below;  ///< (1 − s̄) Δl: those below are higher
};

/// Decomposition of the change of a mean between two occasions, bars being means over both: as of the mean maximum
/// slope into new regions (share of pairs in different ones) and sharper boundaries (level among those).
/// @param values  [n] (before, after) of each pair; one with a NaN is left out. Elements of the bootstraps too
/// @post total = from_share + from_above + from_below up to rounding; a level that one occasion lacks is taken not to
///       have changed, one that both lack to equal the other level; all NaN if nothing remains
/// @see Kitagawa 1955, "Components of a difference between two rates"
inline change_parts change_of_mean(std::span<std::array<double, 2> const> values, double threshold) {
    double sums[2][2] = {}, counts[2][2] = {}, n = 0;  // [occasion][above]
    for (auto const& pair : values) {
        if (std::isnan(pair[0]) || std::isnan(pair[1])) continue;
        ++n;
        for (std::size_t when = 0; when < 2; ++when) {
            bool const above = pair[when] >= threshold;
            sums[when][above] += pair[when];
            ++counts[when][above];
        }
    }
    double const nan = std::numeric_limits<double>::quiet_NaN();
    if (n == 0) return {nan, nan, nan, nan};
    double levels[2][2], shares[2];
    for (std::size_t when = 0; when < 2; ++when) {
        shares[when] = counts[when][1] / n;
        for (std::size_t above = 0; above < 2; ++above) {
            std::size_t const known = counts[when][above] > 0 ? when : 1 - when;
            levels[when][above] = counts[known][above] > 0 ? sums[known][above] / counts[known][above] : nan;
        }
    }
    for (auto& level : levels) {
        for (std::size_t above = 0; above < 2; ++above) {
            if (std::isnan(level[above])) level[above] = level[1 - above];
        }
    }
    double const share = (shares[0] + shares[1]) / 2,
                 gap = (levels[0][1] + levels[1][1] - levels[0][0] - levels[1][0]) / 2;
    return {(sums[1][0] + sums[1][1] - sums[0][0] - sums[0][1]) / n, (shares[1] - shares[0]) * gap,
            share * (levels[1][1] - levels[0][1]), (1 - share) * (levels[1][0] - levels[0][0])};
}

}  // namespace plateau::statistics
