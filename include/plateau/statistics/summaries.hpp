#pragma once
/// Mean and median as statistics that the bootstraps take. NaN marks a missing value, as everywhere.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/quantile.hpp>

namespace plateau::statistics {

/// Σ w x / Σ w over the values that are numbers; NaN if nothing remains. @param weights  [n], or none for equal ones
struct mean_of {
    double operator()(std::span<double const> values, std::span<double const> weights = {}) const {
        double sum = 0, total = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            double const weight = weights.empty() ? 1 : weights[i];
            if (std::isnan(values[i])) continue;
            sum += weight * values[i];
            total += weight;
        }
        return total > 0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
    }
};

/// Quantile q, as numpy defines it, of the values that are numbers, each taken as often as its weight says.
/// @param weights  [n] whole numbers >= 0, or none      @throws domain_error unless q ∈ [0, 1]
struct quantile_of {
    double q;

    double operator()(std::span<double const> values, std::span<double const> weights = {}) const {
        if (weights.empty()) {
            std::vector<double> sorted(values.begin(), values.end());
            std::erase_if(sorted, [](double x) { return std::isnan(x); });
            std::sort(sorted.begin(), sorted.end());
            return quantile(sorted, q);
        }
        std::vector<std::pair<double, double>> sorted;  // value, how many up to and with it
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (weights[i] > 0 && !std::isnan(values[i])) sorted.emplace_back(values[i], weights[i]);
        }
        std::sort(sorted.begin(), sorted.end());
        double total = 0;
        for (auto& [value, count] : sorted) count = total += count;
        if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
        auto const at = [&](double rank) {
            return std::upper_bound(sorted.begin(), sorted.end() - 1, rank,
                                    [](double r, auto const& entry) { return r < entry.second; })
                ->first;
        };
        double const h = q * (total - 1), low = std::floor(h);
        double const ends[2] = {at(low), at(std::min(low + 1, total - 1))};
        return quantile(ends, h - low);
    }
};

inline constexpr mean_of mean{};
inline constexpr quantile_of median{0.5};

}  // namespace plateau::statistics
