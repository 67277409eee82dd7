#pragma once
/// Median sensitivities of families of directions, and how they compare with a baseline family.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <plateau/statistics/over_prompts.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/sensitivity.hpp>

namespace plateau::sweep {

/// Medians over prompts of one family, with intervals of bootstraps over prompts.
struct sensitivity_medians {
    static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

    std::string family;
    std::vector<statistics::estimate> kl;     ///< [L]; nats
    std::vector<statistics::estimate> ratio;  ///< [L] to the baseline's KL of the same prompt and length; none of the
                                              ///< baseline itself, nor without one
    statistics::estimate length_to_threshold{nan, nan, nan, nan};  ///< in units; NaN where the median prompt does not
                                                                   ///< reach it
    double p = nan;  ///< that the log ratio at one length is centred on 0, by flipped signs

    /// NaN where nothing is compared.
    statistics::estimate ratio_at(std::size_t length) const {
        return ratio.empty() ? statistics::estimate{nan, nan, nan, nan} : ratio[length];
    }
};

/// What is asked of families.
struct family_comparison {
    std::string baseline = "isotropic";
    std::size_t at = 0;                             ///< number of the length at which p is of
    double threshold = 0.1;                         ///< the divergence whose length is told; nats
    statistics::bootstrap_options resampling = {};  ///< its seed is the test's too
};

/// [K], in the order of the families.
inline std::vector<sensitivity_medians> medians_of(sensitivity const& all, family_comparison const& of) {
    using statistics::median;
    auto const over_prompts = [&](std::vector<double> const& values) {
        return statistics::over_prompts(values, median, of.resampling);
    };
    auto const exponential = [](statistics::estimate const& x) {
        return statistics::estimate{std::exp(x.value), std::exp(x.low), std::exp(x.high),
                                    x.standard_error * std::exp(x.value)};
    };
    auto const baseline = static_cast<std::size_t>(std::ranges::find(all.families, of.baseline) - all.families.begin());
    std::vector<sensitivity_medians> found;
    for (std::size_t f = 0; f < all.families.size(); ++f) {
        auto& one = found.emplace_back();
        one.family = all.families[f];
        bool const compares = baseline < all.families.size() && f != baseline;
        for (std::size_t l = 0; l < all.lengths.size(); ++l) {
            one.kl.push_back(over_prompts(all.by_prompt(f, l)));
            if (compares) one.ratio.push_back(exponential(over_prompts(all.log_ratios(f, baseline, l))));
        }
        auto const reached = over_prompts(all.length_to(f, of.threshold));
        if (!(reached.value >= all.lengths.back())) one.length_to_threshold = reached;
        if (!compares) continue;
        auto logs = all.log_ratios(f, baseline, of.at);
        std::erase_if(logs, [](double x) { return std::isnan(x); });
        if (!logs.empty()) one.p = statistics::sign_flip_test(logs, 1, median, {.seed = of.resampling.seed}).p;
    }
    return found;
}

}  // namespace plateau::sweep
