#pragma once
/// The picture of attention's landmarks beside the output's jump.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/mark_lags.hpp>
#include <plateau/viz/quartile_curve.hpp>

namespace plateau::sweep {

/// How far marks lie from the jump, how they lie to it block by block, and how often heads switch.
/// @param jumps  [P]      @param blocks  those behind the write site
inline std::vector<viz::labelled_panel> energy_panels(energy_marks const& all, std::vector<double> const& jumps,
                                                      pair_design const& design, std::vector<index> const& blocks) {
    constexpr index bins = 20;
    std::vector<double> numbers(blocks.begin(), blocks.end());
    viz::labelled_panel lags{
        "where marks lie", {"α − α of the output's jump"}, {"share of heads and pairs"}, {}, {{0, true}}};
    viz::labelled_panel away{"by block", {"block"}, {"|α − α of the jump|, median"}, {}};
    viz::labelled_panel switches{"changes of the likeliest key", {"block"}, {"share of heads and pairs"}, {}};
    for (index const mark : {index{0}, index{3}, switch_mark}) {
        viz::labelled_curve histogram{.label = mark_names[static_cast<std::size_t>(mark)].name, .x = {}, .y = {}};
        std::vector<double> counts(2 * bins);
        double total = 0;
        for (index p = 0; p < all.pairs(); ++p) {
            for (index l = 0; l < all.layers(); ++l) {
                for (index h = 0; h < all.heads(); ++h) {
                    double const lag = all.places()(mark, p, l, h) - jumps[static_cast<std::size_t>(p)];
                    if (std::isnan(lag)) continue;
                    auto const bin =
                        std::clamp(static_cast<index>(std::floor((lag + 1) * bins)), index{0}, 2 * bins - 1);
                    ++counts[static_cast<std::size_t>(bin)], ++total;
                }
            }
        }
        for (index b = 0; b < 2 * bins; ++b) {
            histogram.x.push_back((static_cast<double>(b) + 0.5) / bins - 1);
            histogram.y.push_back(counts[static_cast<std::size_t>(b)] / total);
        }
        lags.curves.push_back(histogram);
        std::vector<statistics::estimate> near, chance;
        for (index const l : blocks) {
            auto const of_block = lags_of(all, jumps, mark, {l});
            near.push_back(design.median(of_block.away));
            if (mark == 0) chance.push_back(design.median(of_block.chance));
        }
        away.curves.push_back(viz::curve_of(histogram.label, numbers, near));
        if (mark == 0) {
            away.curves.push_back(viz::curve_of(histogram.label + ", from another pair's jump", numbers, chance));
            away.curves.back().dashed = true;
        }
    }
    for (int const kind : {0, 1, 2}) {
        viz::labelled_curve curve{.label = kind == 0   ? "never"
                                           : kind == 1 ? "once"
                                                       : "more than once",
                                  .x = numbers,
                                  .y = {}};
        for (index const l : blocks) {
            double count = 0, known = 0;
            for (index p = 0; p < all.pairs(); ++p) {
                if (std::isnan(jumps[static_cast<std::size_t>(p)])) continue;
                known += static_cast<double>(all.heads());
                for (index h = 0; h < all.heads(); ++h) count += std::min<index>(2, all.switches()(p, l, h)) == kind;
            }
            curve.y.push_back(count / known);
        }
        switches.curves.push_back(std::move(curve));
    }
    return {std::move(lags), std::move(away), std::move(switches)};
}

/// Energies of some blocks' MLPs above the line between their ends, as shares of the largest: medians over pairs.
/// @param energies  [P, L, S]
inline viz::labelled_panel mlp_energy_panel(tensor::view<double const, 3> energies, std::vector<double> const& alpha,
                                            std::vector<index> const& blocks) {
    viz::labelled_panel panel{
        "energies of MLPs above the line between their ends", {"α"}, {"of the pair's largest"}, {}, {{0}}};
    auto const count = blocks.size();
    std::vector<std::size_t> const some{0, count / 3, 2 * count / 3, count - 1};
    for (auto at = some.begin(); at != some.end(); ++at) {
        std::size_t const k = *at;
        if (std::find(some.begin(), at, k) != at) continue;  // of fewer than four blocks
        std::vector<double> all;
        for (index p = 0; p < energies.extent(0); ++p) {
            auto const curve = energies[p][blocks[k]].flat();
            double most = 0;
            std::vector<double> above;
            for (std::size_t i = 0; i < alpha.size(); ++i) {
                above.push_back(curve[i] - (1 - alpha[i]) * curve.front() - alpha[i] * curve.back());
                most = std::max(most, std::abs(above.back()));
            }
            for (double const one : above) all.push_back(most > 0 ? one / most : 0);
        }
        panel.curves.push_back(viz::quartile_curve(concat({"block ", blocks[k]}), alpha, all));
    }
    return panel;
}

}  // namespace plateau::sweep
