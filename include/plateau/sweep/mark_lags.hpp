#pragma once
/// Lags of landmarks of attention and of MLPs behind the output's jump.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/energy_marks.hpp>

namespace plateau::sweep {

/// Medians over the heads of some blocks, pair by pair; [P] each.
struct mark_lags {
    std::vector<double> there;   ///< share of the heads that have the mark
    std::vector<double> lag;     ///< place − α_jump
    std::vector<double> away;    ///< |place − α_jump|
    std::vector<double> chance;  ///< the same from another pair's jump: see other_jump

    /// Adds a pair. @param places  of its heads, NaN where there is none      @param jump,other  α_jump, and another's
    void add(std::vector<double> const& places, double jump, double other) {
        std::vector<double> lags, distances, by_chance;
        for (double const place : places) {
            if (std::isnan(place)) continue;
            lags.push_back(place - jump);
            distances.push_back(std::abs(place - jump));
            by_chance.push_back(std::abs(place - other));
        }
        there.push_back(std::isnan(jump) ? jump
                                         : static_cast<double>(lags.size()) / static_cast<double>(places.size()));
        lag.push_back(statistics::median(lags));
        away.push_back(statistics::median(distances));
        chance.push_back(statistics::median(by_chance));
    }
};

/// The jump of a pair half the list away, which shares no prompt with this one in chains and disjoint pairs; NaN where
/// there is no other pair.
inline double other_jump(std::vector<double> const& jumps, std::size_t pair) {
    return jumps.size() < 2 ? std::numeric_limits<double>::quiet_NaN()
                            : jumps[(pair + std::max<std::size_t>(1, jumps.size() / 2)) % jumps.size()];
}

/// @param jumps  [P] α_jump, NaN of degenerate pairs      @param blocks  whose heads
inline mark_lags lags_of(energy_marks const& all, std::vector<double> const& jumps, index mark,
                         std::vector<index> const& blocks) {
    mark_lags found;
    for (std::size_t p = 0; p < jumps.size(); ++p) {
        std::vector<double> places;
        for (index const l : blocks) {
            for (index h = 0; h < all.heads(); ++h) places.push_back(all.places()(mark, static_cast<index>(p), l, h));
        }
        found.add(places, jumps[p], other_jump(jumps, p));
    }
    return found;
}

/// The same of ridges of the MLPs' energies, one a block. @param energies  [P, L, S]
inline mark_lags mlp_lags(tensor::view<double const, 3> energies, std::vector<double> const& jumps,
                          std::vector<index> const& blocks) {
    mark_lags found;
    for (std::size_t p = 0; p < jumps.size(); ++p) {
        std::vector<double> places;
        for (index const l : blocks)
            places.push_back(metrics::ridge_of(energies[static_cast<index>(p)][l].flat()).place);
        found.add(places, jumps[p], other_jump(jumps, p));
    }
    return found;
}

/// One line of a report: medians over pairs with their intervals.
struct mark_row {
    std::string name;
    statistics::estimate there, lag, away, chance;
};

inline mark_row row_of(std::string name, mark_lags const& lags, pair_design const& design) {
    auto there = design.mean(lags.there);
    there.low = std::max(there.low, 0.0), there.high = std::min(there.high, 1.0);
    return {std::move(name), there, design.median(lags.lag), design.median(lags.away), design.median(lags.chance)};
}

/// Of every mark, over the heads of all `blocks`. @param jumps  [P]
inline std::vector<mark_row> rows_of(pair_design const& design, energy_marks const& all,
                                     std::vector<double> const& jumps, std::vector<index> const& blocks) {
    std::vector<mark_row> rows;
    for (index m = 0; m < marks; ++m)
        rows.push_back(row_of(mark_names[static_cast<std::size_t>(m)].name, lags_of(all, jumps, m, blocks), design));
    return rows;
}

inline statistics::interval_table table_of(std::vector<mark_row> const& rows) {
    statistics::interval_table table{{"mark"}, {"there", "lag", "away", "chance"}};
    for (auto const& one : rows) table.row({one.name}, {one.there, one.lag, one.away, one.chance});
    return table;
}

}  // namespace plateau::sweep
