#pragma once
/// Median and quartile band of many curves, as one curve of a picture.

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/statistics/quantile.hpp>
#include <plateau/viz/labelled_curves.hpp>

namespace plateau::viz {

/// Quartiles of P curves over the same S points, point by point; values that are NaN are left out.
/// @param x  [S]      @param curves  [P, S]
inline labelled_curve quartile_curve(std::string label, std::vector<double> const& x, std::span<double const> curves) {
    labelled_curve curve{.label = std::move(label), .x = x, .y = {}};
    for (std::size_t i = 0; i < x.size(); ++i) {
        std::vector<double> column;
        for (std::size_t at = i; at < curves.size(); at += x.size()) column.push_back(curves[at]);
        auto const q = statistics::quartiles_of(column);
        curve.low.push_back(q.q25);
        curve.y.push_back(q.median);
        curve.high.push_back(q.q75);
    }
    return curve;
}

}  // namespace plateau::viz
