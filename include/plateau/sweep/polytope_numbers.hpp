#pragma once
/// Numbers of polytopes beside stable regions: how many crossings fall on the plateaus, how many on the jump.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <plateau/metrics/transition.hpp>
#include <plateau/sweep/sign_change_counts.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// Of one block, or of several together, over pairs; each [P], NaN for a degenerate pair and where there is none.
struct polytope_numbers {
    std::vector<double> mismatch;    ///< share of gates whose sign differs between both ends
    std::vector<double> crossings;   ///< sampled sign changes along the path, by gate
    std::vector<double> again;       ///< share of the crossings that were undone: (crossings − mismatch) / crossings
    std::vector<double> plateau;     ///< by gate: in intervals before t(0.1) and behind t(0.9)
    std::vector<double> jump;        ///< by gate: in those between
    std::vector<double> density;     ///< crossings per unit of α in the jump, over those on the plateaus
    std::vector<double> steepest;    ///< share of the crossings in the steepest tenth of the path
    std::vector<double> length;      ///< share of the way of what the MLP reads in that tenth
    std::vector<double> per_length;  ///< crossings by gate over the length of that way
};

/// Where a pair's curve is steep.
struct steep_part {
    double begin, end;   ///< t(0.1), t(0.9); NaN for a degenerate pair
    index first, count;  ///< the tenth of the intervals, neighbours, over which d(α) rises most
};

/// @param alpha,relative  [S]
inline steep_part steep_part_of(std::span<double const> alpha, std::span<double const> relative) {
    auto const t = metrics::transition_of(alpha, relative);
    auto const intervals = static_cast<index>(alpha.size()) - 1;
    steep_part steep{t.begin, t.end, 0, std::max<index>(1, (intervals + 5) / 10)};
    double most = -std::numeric_limits<double>::infinity();
    for (index i = 0; i + steep.count <= intervals; ++i) {
        double const rise = relative[static_cast<std::size_t>(i + steep.count)] - relative[static_cast<std::size_t>(i)];
        if (rise > most) most = rise, steep.first = i;
    }
    return steep;
}

/// The numbers of blocks [first, first + count), gates of all of them taken together.
inline polytope_numbers numbers_of(sign_change_counts const& found, transitions const& curves, index first,
                                   index count) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    double gates = 0;
    for (auto const& one : found.gates)
        gates += one.layer >= first && one.layer < first + count ? static_cast<double>(one.gates) : 0;
    auto const over = [](double part, double whole) { return whole > 0 ? part / whole : nan; };
    polytope_numbers all;
    for (index p = 0; p < found.pairs(); ++p) {
        // which intervals are plateau, which jump, which the steepest tenth
        auto const steep = steep_part_of(curves.alpha, curves.curve(p));
        bool const degenerate = std::isnan(steep.begin);
        double mismatch = 0, total = 0, plateau = 0, in_jump = 0, tenth = 0, way = 0, way_of_tenth = 0, jump_width = 0;
        // sums over intervals and blocks
        index const intervals = found.hamming.extent(2);
        for (index i = 0; i < intervals; ++i) {
            double const middle = (static_cast<double>(i) + 0.5) / static_cast<double>(intervals);
            bool const jumps = middle >= steep.begin && middle <= steep.end;
            bool const steepest = i >= steep.first && i < steep.first + steep.count;
            jump_width += jumps ? 1 / static_cast<double>(intervals) : 0;
            for (index layer = first; layer < first + count; ++layer) {
                auto const changes = static_cast<double>(found.hamming(p, layer, i));
                double const moved = found.lengths(p, layer, i);
                total += changes, way += moved;
                (jumps ? in_jump : plateau) += changes;
                if (steepest) tenth += changes, way_of_tenth += moved;
            }
        }
        for (index layer = first; layer < first + count; ++layer)
            mismatch += static_cast<double>(found.mismatch(p, layer));
        // as shares of the gates, of the crossings, of the way
        auto const put = [&](std::vector<double>& to, double value) { to.push_back(degenerate ? nan : value); };
        put(all.mismatch, over(mismatch, gates));
        put(all.crossings, over(total, gates));
        put(all.again, over(total - mismatch, total));
        put(all.per_length, over(over(total, gates), way));
        put(all.plateau, over(plateau, gates));
        put(all.jump, over(in_jump, gates));
        put(all.density, over(over(in_jump, jump_width), over(plateau, 1 - jump_width)));
        put(all.steepest, over(tenth, total));
        put(all.length, over(way_of_tenth, way));
    }
    return all;
}

}  // namespace plateau::sweep
