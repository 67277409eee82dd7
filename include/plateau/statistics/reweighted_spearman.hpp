#pragma once
/// Spearman's correlation of the same points under one list of weights after the other.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::statistics {

/// What `spearman` gives of points written out as often as their weights say, both coordinates sorted once instead of
/// each time: O(n) a call. Points of which a coordinate is NaN are left out.
class reweighted_spearman {
public:
    /// @param x  [P], one of each item      @param y  [C · P]: C of each, that of item p in round c at c · P + p
    /// @throws shape_error if P = 0 or P does not divide the number of values y
    reweighted_spearman(std::span<double const> x, std::span<double const> y) {
        if (x.empty() || y.size() % x.size() != 0)
            throw shape_error(y.size(), " values cannot be those of ", x.size(), " items");
        std::vector<double> coordinates[2];
        for (std::size_t k = 0; k < y.size(); ++k) {
            std::size_t const item = k % x.size();
            if (std::isnan(x[item]) || std::isnan(y[k])) continue;
            coordinates[0].push_back(x[item]);
            coordinates[1].push_back(y[k]);
            items_.push_back(item);
        }
        for (int axis = 0; axis < 2; ++axis) order_[axis] = ties_of(coordinates[axis]);
    }

    /// @param weights  [P] whole numbers >= 0      @return NaN if fewer than two points remain, or a coordinate is
    /// constant
    double operator()(std::span<double const> weights) const {
        double total = 0;
        for (std::size_t const item : items_) total += weights[item];
        std::vector<double> ranks[2];
        for (int axis = 0; axis < 2; ++axis) ranks[axis] = centred_ranks(order_[axis], weights, total);
        double xx = 0, yy = 0, xy = 0;
        for (std::size_t k = 0; k < items_.size(); ++k) {
            double const weight = weights[items_[k]], rx = ranks[0][k], ry = ranks[1][k];
            xx += weight * rx * rx;
            yy += weight * ry * ry;
            xy += weight * rx * ry;
        }
        if (!(xx > 0 && yy > 0)) return std::numeric_limits<double>::quiet_NaN();
        return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
    }

private:
    struct ties {
        std::vector<std::size_t> points;  ///< by value ascending
        std::vector<std::size_t> ends;    ///< of each run of equal values among them
    };

    static ties ties_of(std::vector<double> const& values) {
        ties found;
        for (std::size_t k = 0; k < values.size(); ++k) found.points.push_back(k);
        std::sort(found.points.begin(), found.points.end(),
                  [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
        for (std::size_t i = 1; i <= values.size(); ++i) {
            if (i == values.size() || values[found.points[i]] != values[found.points[i - 1]]) found.ends.push_back(i);
        }
        return found;
    }

    /// Of each point, less their mean (total + 1) / 2: multiples of one half, so that a constant's are exactly 0.
    std::vector<double> centred_ranks(ties const& of, std::span<double const> weights, double total) const {
        std::vector<double> ranks(of.points.size());
        double before = 0;
        std::size_t i = 0;
        for (std::size_t const end : of.ends) {
            double together = 0;
            for (std::size_t k = i; k < end; ++k) together += weights[items_[of.points[k]]];
            for (; i < end; ++i) ranks[of.points[i]] = before + (together - total) / 2;
            before += together;
        }
        return ranks;
    }

    std::vector<std::size_t> items_;  // of each point that is known
    ties order_[2];
};

}  // namespace plateau::statistics
