#pragma once
/// A median of the same values under one list of weights after the other.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::statistics {

/// What `median(values, weights)` gives, the values sorted once instead of each time: O(n) a call.
class reweighted_median {
public:
    /// @param values  [C · P]: C of each of P items, that of item p in round c at c · P + p; NaN for a missing one
    /// @param items   P >= 1; an item's weight is that of all its values
    /// @throws shape_error if P does not divide the number of values
    reweighted_median(std::span<double const> values, index items) {
        auto const count = static_cast<std::size_t>(items);
        if (items < 1 || values.size() % count != 0)
            throw shape_error(values.size(), " values cannot be those of ", items, " items");
        std::vector<std::size_t> order;
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (!std::isnan(values[k])) order.push_back(k);
        }
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
        for (std::size_t const k : order) sorted_.push_back({values[k], k % count});
    }

    /// @param weights  [P] whole numbers >= 0      @return NaN if nothing has a weight
    double operator()(std::span<double const> weights) const {
        double total = 0;
        for (auto const& one : sorted_) total += weights[one.item];
        if (!(total > 0)) return std::numeric_limits<double>::quiet_NaN();
        double const low = std::floor((total - 1) / 2), high = std::floor(total / 2);  // ranks, counted from 0
        double upto = 0;
        auto at = sorted_.begin();
        while ((upto += weights[at->item]) <= low) ++at;
        double const first = at->value;
        while (upto <= high) upto += weights[(++at)->item];
        return at->value - (at->value - first) / 2;
    }

private:
    struct entry {
        double value;
        std::size_t item;
    };
    std::vector<entry> sorted_;
};

}  // namespace plateau::statistics
