#pragma once
/// Emergence: what makes curves sharper in training, told apart in new regions, sharper boundaries and one place.

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <plateau/metrics/transition.hpp>
#include <plateau/statistics/share_and_level.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// What is known of one checkpoint, each number with its interval. A pair is taken to cross a boundary if its max slope
/// is `same_region` or more.
struct training_moment {
    transitions curves;
    statistics::estimate slope{};           ///< median max slope
    statistics::estimate slope_mean{};      ///< mean max slope
    statistics::estimate width{};           ///< median width
    statistics::estimate share{};           ///< of pairs that cross a boundary
    statistics::estimate level{};           ///< median max slope of those
    statistics::estimate spread{};          ///< interquartile range of their jumps' places, in α
    statistics::estimate median_width{};    ///< width of the median curve
    std::vector<double> median_curve = {};  ///< [S]
};

inline training_moment moment_of(pair_design const& design, transitions curves, double same_region) {
    training_moment m;
    m.slope = design.median(curves.max_slope);
    m.slope_mean = design.mean(curves.max_slope);
    m.width = design.median(curves.width);
    // the pairs that cross a boundary keep their places; those that do not are NaN
    std::vector<double> across, level, jump;
    std::vector<index> pairs;
    double const nan = std::numeric_limits<double>::quiet_NaN();
    for (index p = 0; p < design.count(); ++p) {
        auto const k = static_cast<std::size_t>(p);
        double const slope = curves.max_slope[k];
        bool const crosses = slope >= same_region;
        across.push_back(std::isnan(slope) ? nan : crosses ? 1 : 0);
        level.push_back(crosses ? slope : nan);
        jump.push_back(crosses ? curves.alpha_jump[k] : nan);
        pairs.push_back(p);
    }
    m.share = design.share(across);
    m.level = design.median(level);
    m.spread = design.interval(std::span<double const>{jump}, [](std::span<double const> values) {
        auto const q = statistics::quartiles_of(values);
        return q.q75 - q.q25;
    });
    m.median_width = design.interval(std::span<index const>{pairs}, [&](std::span<index const> drawn) {
        return metrics::transition_of(curves.alpha, curves.median_curve(drawn)).width;
    });
    m.median_curve = curves.median_curve(pairs);
    m.curves = std::move(curves);
    return m;
}

/// What changed in the mean of max slopes from one checkpoint to the next: total = from_share + from_above +
/// from_below.
struct training_change {
    statistics::estimate total{};
    statistics::estimate from_share{};  ///< new regions: change of the share × gap between the levels
    statistics::estimate from_above{};  ///< sharper boundaries: change of the level across × share
    statistics::estimate from_below{};  ///< change of the level of the others
    statistics::estimate same_pairs{};  ///< of the median level of pairs that are across at both: no new member in it
    index both = 0;                     ///< how many those are
};

/// @see statistics::change_of_mean
inline training_change change_of(pair_design const& design, training_moment const& before, training_moment const& after,
                                 double same_region) {
    using both_slopes = std::array<double, 2>;
    std::vector<both_slopes> slopes;
    training_change c;
    auto const across = [&](both_slopes const& one) { return one[0] >= same_region && one[1] >= same_region; };
    for (std::size_t p = 0; p < before.curves.max_slope.size(); ++p) {
        slopes.push_back({before.curves.max_slope[p], after.curves.max_slope[p]});
        c.both += across(slopes.back());
    }
    auto const part = [&](double statistics::change_parts::*which) {
        return design.interval(std::span<both_slopes const>{slopes}, [&](std::span<both_slopes const> drawn) {
            return statistics::change_of_mean(drawn, same_region).*which;
        });
    };
    c.total = part(&statistics::change_parts::total);
    c.from_share = part(&statistics::change_parts::from_share);
    c.from_above = part(&statistics::change_parts::from_above);
    c.from_below = part(&statistics::change_parts::from_below);
    c.same_pairs = design.interval(std::span<both_slopes const>{slopes}, [&](std::span<both_slopes const> drawn) {
        std::vector<double> levels[2];
        for (auto const& one : drawn) {
            if (!across(one)) continue;
            levels[0].push_back(one[0]);
            levels[1].push_back(one[1]);
        }
        return statistics::median(levels[1]) - statistics::median(levels[0]);
    });
    return c;
}

}  // namespace plateau::sweep
