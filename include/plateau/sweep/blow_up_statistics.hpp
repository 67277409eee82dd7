#pragma once
/// Statistics of blow-up over prompts: median curves, plateaus that have ended, and kinds of rays to compare.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <plateau/statistics/over_prompts.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/blow_up.hpp>

namespace plateau::sweep {

/// [S]: medians over prompts of a kind's distances, with their intervals.
inline std::vector<statistics::estimate> median_distances(blow_up_curves const& curves, index kind,
                                                          statistics::bootstrap_options const& resampling) {
    std::vector<statistics::estimate> medians;
    for (index n = 0; n < curves.points(); ++n)
        medians.push_back(statistics::over_prompts(curves.distances_at(kind, n), statistics::median, resampling));
    return medians;
}

/// [points]: the share of plateaus that have ended before each point. @param ends  [N], N >= 1, the steps at which
inline std::vector<double> share_ended(std::span<double const> ends, index points) {
    std::vector<double> share;
    for (index n = 0; n < points; ++n) {
        auto const by_now = std::ranges::count_if(ends, [n](double step) { return step < static_cast<double>(n); });
        share.push_back(static_cast<double>(by_now) / static_cast<double>(ends.size()));
    }
    return share;
}

/// Two kinds of rays, prompt by prompt.
struct ray_comparison {
    std::string name;  ///< "x - y"
    index x, y;
};

/// The real centre against each other one, toward each target; and targets against each other, of the real centre.
inline std::vector<ray_comparison> ray_comparisons(ray_kinds const& kinds) {
    std::vector<ray_comparison> all;
    for (index kind = ray_kinds::of(1, 0); kind < kinds.count(); ++kind)
        all.push_back({"real - " + kinds.centre_name(kind) + " centre, toward " + kinds.target_name(kind),
                       kind % ray_kinds::targets, kind});
    all.push_back({"toward gaussian - toward real, real centre", ray_kinds::of(0, 1), ray_kinds::of(0, 0)});
    all.push_back({"isotropic - toward gaussian, real centre", ray_kinds::of(0, 2), ray_kinds::of(0, 1)});
    return all;
}

}  // namespace plateau::sweep
