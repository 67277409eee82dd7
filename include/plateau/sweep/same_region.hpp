#pragma once
/// Signs that the two prompts of a pair lie in one stable region.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <plateau/metrics/lipschitz_ratio.hpp>
#include <plateau/statistics/region_count.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// [P]: 1 where sign(pair) says one region, 0 where it does not, NaN for a degenerate pair.
template <class Sign>
std::vector<double> indicator(transitions const& curves, Sign const& sign) {
    std::vector<double> is;
    for (std::size_t p = 0; p < curves.max_slope.size(); ++p) {
        bool const degenerate = std::isnan(curves.max_slope[p]);
        is.push_back(degenerate ? std::numeric_limits<double>::quiet_NaN() : sign(p) ? 1 : 0);
    }
    return is;
}

/// [P]: the steepest step beside the first ones; NaN for a degenerate pair. @see metrics::lipschitz_ratio
inline std::vector<double> lipschitz_ratios(transitions const& curves, distance_curves const& distances) {
    std::vector<double> all;
    for (index p = 0; p < curves.count(); ++p) {
        double const slope = curves.max_slope[static_cast<std::size_t>(p)];
        all.push_back(std::isnan(slope) ? slope : metrics::lipschitz_ratio(distances[p]));
    }
    return all;
}

/// [N]: the last token of each prompt, as a label.
inline std::vector<index> last_tokens(prompt_list const& prompts) {
    std::vector<index> all;
    for (auto const& prompt : prompts) all.push_back(prompt.back());
    return all;
}

/// [P]: whether both prompts of a pair have the same label. @param labels  [N], such as the likeliest next token
inline std::vector<double> same_label(transitions const& curves, pair_design const& design,
                                      std::vector<index> const& labels) {
    return indicator(curves, [&](std::size_t p) {
        auto const& pair = design.pairs[p];
        return labels[static_cast<std::size_t>(pair.from)] == labels[static_cast<std::size_t>(pair.to)];
    });
}

/// [P]: whether one label holds all along a pair's path. @param labels  [P,S]
inline std::vector<double> one_label(transitions const& curves, std::vector<index> const& labels) {
    return indicator(curves, [&](std::size_t p) {
        auto const path = labels.begin() + static_cast<std::ptrdiff_t>(p) * curves.steps();
        return std::all_of(path, path + curves.steps(), [&](index label) { return label == *path; });
    });
}

/// Of the pairs that `among` holds, the share for which `is` holds, with Wilson's interval; NaN if it holds none.
/// @param among,is  [P] indicators
inline statistics::estimate share_among(std::vector<double> const& among, std::vector<double> const& is) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    index count = 0, held = 0;
    for (std::size_t p = 0; p < among.size(); ++p) {
        if (among[p] != 1) continue;
        ++count;
        held += is[p] == 1;
    }
    return count == 0 ? statistics::estimate{nan, nan, nan, nan} : statistics::wilson_share(held, count);
}

}  // namespace plateau::sweep
