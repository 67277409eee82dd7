#pragma once
/// Value pairs: those of which both are known, their differences, and statistics of two samples as ones of pairs.

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace plateau::statistics {

using value_pair = std::array<double, 2>;

/// The pairs (x_i, y_i) of which neither is NaN, in their order. @param x,y  [n] each
inline std::vector<value_pair> known_pairs(std::span<double const> x, std::span<double const> y) {
    std::vector<value_pair> both;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!std::isnan(x[i]) && !std::isnan(y[i])) both.push_back({x[i], y[i]});
    }
    return both;
}

/// x_i − y_i.
inline std::vector<double> differences_of(std::vector<value_pair> const& pairs) {
    std::vector<double> all;
    for (auto const& [x, y] : pairs) all.push_back(x - y);
    return all;
}

/// A statistic of two samples, such as `cliffs_delta`, as one of pairs, which a bootstrap resamples as such.
/// @param statistic  double(span of x, span of y); has to live as long
template <class Statistic>
auto of_columns(Statistic const& statistic) {
    return [&statistic](std::span<value_pair const> pairs) {
        std::vector<double> x, y;
        for (auto const& pair : pairs) x.push_back(pair[0]), y.push_back(pair[1]);
        return statistic(x, y);
    };
}

}  // namespace plateau::statistics
