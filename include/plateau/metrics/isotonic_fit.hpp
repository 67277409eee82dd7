#pragma once
/// The nearest curve that never falls.

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::metrics {

/// argmin_f Σ w_i (f_i − y_i)² over f_0 ≤ f_1 ≤ …, by pooling adjacent violators.
/// @param curve  [S]      @param weights  [S] positive, or empty for equal ones
/// @post the mean (weighted) is kept; a curve that never falls is its own fit; all NaN if a value is NaN. O(S)
/// @throws shape_error on unequal lengths; domain_error if a weight is not positive
/// @see Barlow et al. 1972; Best & Chakravarti 1990; sklearn.isotonic.IsotonicRegression
inline std::vector<double> isotonic_fit(std::span<double const> curve, std::span<double const> weights = {}) {
    if (!weights.empty() && weights.size() != curve.size()) {
        throw shape_error("isotonic_fit needs a weight per value, got ", weights.size(), " for ", curve.size());
    }
    struct pool {
        double mean, weight;
        std::size_t count;
    };
    std::vector<pool> pools;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        double const weight = weights.empty() ? 1 : weights[i];
        if (!(weight > 0) || std::isinf(weight))
            throw domain_error("isotonic_fit needs weights that are positive and finite");
        if (std::isnan(curve[i])) return std::vector<double>(curve.size(), std::numeric_limits<double>::quiet_NaN());
        pools.push_back({curve[i], weight, 1});
        while (pools.size() > 1 && pools[pools.size() - 2].mean >= pools.back().mean) {
            pool const last = pools.back();
            pools.pop_back();
            pool& before = pools.back();
            double const both = before.weight + last.weight;
            before.mean += (last.mean - before.mean) * (last.weight / both);
            before.weight = both;
            before.count += last.count;
        }
    }
    std::vector<double> fit;
    fit.reserve(curve.size());
    for (auto const& p : pools) fit.insert(fit.end(), p.count, p.mean);
    return fit;
}

}  // namespace plateau::metrics
