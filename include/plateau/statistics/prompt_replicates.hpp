#pragma once
/// Several statistics of pairs from the same resamples of prompts, with their intervals or a band.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include <plateau/core/parallel.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/prompt_draws.hpp>
#include <plateau/statistics/simultaneous_band.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::statistics {

/// A statistic of pairs, by how often each of them comes; called concurrently. @see reweighted_median
using reweighted = std::function<double(std::span<double const> weights)>;

/// K statistics and their replicates, all of the same B resamples.
struct prompt_replicates {
    std::vector<double> values;            ///< [K] every pair once
    tensor::buffer<double, 2> replicates;  ///< [B, K]
    double level = 0.95;
    index prompts = 0;

    /// As `prompt_bootstrap` makes them, each for itself. No interval of fewer than two pairs: NaN.
    std::vector<estimate> estimates() const {
        double const nan = std::numeric_limits<double>::quiet_NaN();
        std::vector<estimate> all;
        for (index k = 0; k < static_cast<index>(values.size()); ++k) {
            std::vector<double> column;
            for (index b = 0; b < replicates.extent(0); ++b) column.push_back(replicates(b, k));
            double const value = values[static_cast<std::size_t>(k)];
            all.push_back(column.empty() ? estimate{value, nan, nan, nan} : percentile_estimate(value, column, level));
        }
        return all;
    }

    /// All of them as one curve, with the band of `simultaneous_band`, made wider by `few_blocks_factor(N, 1, level)`:
    /// few prompts vary about their own mean. All NaN of fewer than two pairs or resamples.
    band simultaneous() const {
        if (replicates.extent(0) < 2) {
            std::vector<double> const none(values.size(), std::numeric_limits<double>::quiet_NaN());
            return {values, none, none, std::numeric_limits<double>::quiet_NaN()};
        }
        auto found = simultaneous_band(values, replicates, level);
        double const wider = few_blocks_factor(prompts, 1, level);
        found.factor *= wider;
        for (std::size_t k = 0; k < values.size(); ++k) {
            found.low[k] = values[k] - wider * (values[k] - found.low[k]);
            found.high[k] = values[k] + wider * (found.high[k] - values[k]);
        }
        return found;
    }

    /// The same for correlations r: the band is that of Fisher's z = artanh r, whose spread depends on r much less, and
    /// turned back. (Of 50 prompts a band of r itself covers 89 % instead of 95 %.) Where |r| = 1, z is 18.
    band of_correlations() const {
        auto const z_of = [](double r) { return std::abs(r) < 1 ? std::atanh(r) : std::copysign(18.0, r) + 0 * r; };
        prompt_replicates z{values, tensor::buffer<double, 2>({replicates.extent(0), replicates.extent(1)}), level,
                            prompts};
        for (double& one : z.values) one = z_of(one);
        for (index i = 0; i < replicates.size(); ++i) z.replicates.data()[i] = z_of(replicates.data()[i]);
        auto found = z.simultaneous();
        found.value = values;
        for (std::size_t k = 0; k < values.size(); ++k) {
            found.low[k] = std::min(std::tanh(found.low[k]), values[k]);
            found.high[k] = std::max(std::tanh(found.high[k]), values[k]);
        }
        return found;
    }
};

/// Pigeonhole bootstrap of K statistics at once. The draws are those of `prompt_bootstrap` with the same options, and
/// the same for any number of threads.
/// @param pairs  [P] prompts of each pair, in [0, N)      @param prompts  N
/// @throws shape_error if P = 0; those of prompt_draws
inline prompt_replicates replicate(std::span<reweighted const> statistics, prompt_draws::pair_list pairs, index prompts,
                                   bootstrap_options const& options, int threads = 1) {
    if (pairs.empty()) throw shape_error("a prompt bootstrap needs pairs");
    prompt_draws draws{pairs, prompts, options};
    prompt_replicates found{{}, {}, options.level, prompts};
    for (auto const& one : statistics) found.values.push_back(one(std::vector<double>(pairs.size(), 1.0)));
    auto const count = static_cast<index>(statistics.size());
    if (pairs.size() < 2) return found;
    tensor::buffer<double, 2> often({options.resamples, prompts});
    for (index b = 0; b < options.resamples; ++b) {
        auto const drawn = draws.next();
        std::copy(drawn.begin(), drawn.end(), often[b].data());
    }
    found.replicates = tensor::buffer<double, 2>({options.resamples, count});
    parallel_for(threads, options.resamples, [&](index b, int) {
        std::vector<double> weights;
        weights.reserve(pairs.size());
        for (auto const& pair : pairs) weights.push_back(prompt_draws::weight(often[b].flat(), pair));
        for (index k = 0; k < count; ++k) found.replicates(b, k) = statistics[static_cast<std::size_t>(k)](weights);
    });
    return found;
}

}  // namespace plateau::statistics
