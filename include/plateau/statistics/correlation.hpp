#pragma once
/// Correlation of two quantities over pairs.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace plateau::statistics {

/// Pearson's r of (x, y). @param points  [n], elements of the bootstraps too
/// @return NaN if n < 2, or x or y is constant or has a NaN; in double, two passes
inline double pearson(std::span<std::array<double, 2> const> points) {
    double const n = static_cast<double>(points.size());
    double centre[2] = {0, 0}, xx = 0, yy = 0, xy = 0;
    for (auto const& point : points) centre[0] += point[0] / n, centre[1] += point[1] / n;
    for (auto const& point : points) {
        double const x = point[0] - centre[0], y = point[1] - centre[1];
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    bool varies[2] = {false, false};  // a constant's mean is rounded: its squares may sum to more than 0
    for (auto const& point : points) {
        for (std::size_t axis = 0; axis < 2; ++axis) varies[axis] = varies[axis] || point[axis] != points[0][axis];
    }
    if (!(varies[0] && varies[1] && xx > 0 && yy > 0)) return std::numeric_limits<double>::quiet_NaN();
    return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
}

/// Ranks from 1, equal values share the mean of theirs. @param values  [n], no NaN
inline std::vector<double> ranks_of(std::span<double const> values) {
    std::vector<std::size_t> order(values.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
        while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
        for (std::size_t i = first; i < last; ++i) ranks[order[i]] = static_cast<double>(first + 1 + last) / 2;
    }
    return ranks;
}

/// Spearman's ρ: Pearson's r of the ranks. @param points  [n]
/// @return NaN if n < 2, or x or y is constant or has a NaN      @see scipy.stats.spearmanr
inline double spearman(std::span<std::array<double, 2> const> points) {
    std::vector<double> coordinates[2];
    for (auto const& point : points) {
        for (std::size_t axis = 0; axis < 2; ++axis) {
            if (std::isnan(point[axis])) return point[axis];
            coordinates[axis].push_back(point[axis]);
        }
    }
    auto const x = ranks_of(coordinates[0]), y = ranks_of(coordinates[1]);
    std::vector<std::array<double, 2>> ranks;
    for (std::size_t i = 0; i < x.size(); ++i) ranks.push_back({x[i], y[i]});
    return pearson(ranks);
}

}  // namespace plateau::statistics
