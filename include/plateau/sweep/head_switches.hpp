#pragma once
/// Changes of each head's likeliest key: how often, and whether they go with the output's jump.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/csv.hpp>
#include <plateau/core/table.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/permuted_association.hpp>
#include <plateau/sweep/energy_marks.hpp>

namespace plateau::sweep {

/// Spearman's ρ of the place of the switch and α_jump over the pairs in which a head switches once, for every head
/// [L · H], with p values against permuted pairs that hold for all heads together.
/// @param least  pairs that a head needs; with fewer ρ is NaN
/// @throws as family_wise_associations      @pre pairs without common prompts, or permuting them means little
inline std::vector<statistics::permutation_result> switch_correlations(energy_marks const& all,
                                                                       std::vector<double> const& jumps, index least,
                                                                       statistics::permutation_options const& how) {
    std::vector<std::vector<double>> places;
    for (index l = 0; l < all.layers(); ++l) {
        for (index h = 0; h < all.heads(); ++h) {
            auto& of_head = places.emplace_back();
            for (std::size_t p = 0; p < jumps.size(); ++p) {
                if (!std::isnan(jumps[p])) of_head.push_back(all.places()(switch_mark, static_cast<index>(p), l, h));
            }
        }
    }
    auto known_jumps = jumps;
    std::erase_if(known_jumps, [](double jump) { return std::isnan(jump); });
    auto const rho = [least](std::span<statistics::value_pair const> pairs) {
        std::vector<statistics::value_pair> known;  // of the pairs in which the head switches
        for (auto const& one : pairs) {
            if (!std::isnan(one[1])) known.push_back(one);
        }
        return static_cast<index>(known.size()) < least ? std::numeric_limits<double>::quiet_NaN()
                                                        : statistics::spearman(known);
    };
    return statistics::family_wise_associations(known_jumps, places, rho, how);
}

/// With fewer pairs in which it switches once a head has no correlation.
inline constexpr index least_switching_pairs = 10;

/// What a report says of the heads of some blocks.
struct head_switches {
    std::array<double, 3> shares{};  ///< of heads and pairs: never, once, more than once
    std::string csv;                 ///< by head
    std::string best;                ///< "BLOCK.HEAD" of the largest |ρ|; empty if none has one
    double rho = 0, p = 0;           ///< of that head; p is NaN where pairs share prompts

    std::string text() const {
        auto found = "likeliest key: never changes in " + fixed(shares[0], 3) + " of heads and pairs, once in " +
                     fixed(shares[1], 3) + ", more often in " + fixed(shares[2], 3) + "\n";
        if (best.empty()) return found;
        found += "largest correlation of switch and jump over pairs: " + fixed(rho, 3) + " in head " + best;
        return found + (std::isnan(p) ? "\n" : ", p = " + fixed(p, 4) + " for all heads together\n");
    }
};

/// @param blocks  those behind the write site
inline head_switches head_switches_of(pair_design const& design, energy_marks const& all,
                                      std::vector<double> const& jumps, std::vector<index> const& blocks,
                                      statistics::permutation_options const& how) {
    bool const independent = design.shared == pair_design::dependence::none;
    auto const found = switch_correlations(all, jumps, least_switching_pairs, how);
    auto const known = std::count_if(jumps.begin(), jumps.end(), [](double jump) { return !std::isnan(jump); });
    head_switches told;
    told.csv = "block,head,never,once,repeatedly,rho,p\n";
    for (index const l : blocks) {
        for (index h = 0; h < all.heads(); ++h) {
            auto const& [rho, p_of_permuted] = found[static_cast<std::size_t>(l * all.heads() + h)];
            double const p = independent ? p_of_permuted : std::numeric_limits<double>::quiet_NaN();
            std::array<index, 3> counts{};
            for (index pair = 0; pair < all.pairs(); ++pair) {
                if (std::isnan(jumps[static_cast<std::size_t>(pair)])) continue;
                ++counts[static_cast<std::size_t>(std::min<index>(2, all.switches()(pair, l, h)))];
            }
            told.csv += concat({l, ",", h});
            for (std::size_t i = 0; i < 3; ++i) {
                told.csv += concat({",", counts[i]});
                told.shares[i] +=
                    static_cast<double>(counts[i]) / static_cast<double>(known * all.heads() * std::ssize(blocks));
            }
            told.csv += "," + csv_cell(rho) + "," + csv_cell(p) + "\n";
            if (std::isnan(rho) || (!told.best.empty() && std::abs(rho) <= std::abs(told.rho))) continue;
            told.best = concat({l, ".", h});
            told.rho = rho, told.p = p;
        }
    }
    return told;
}

}  // namespace plateau::sweep
