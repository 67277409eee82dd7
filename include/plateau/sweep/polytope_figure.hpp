#pragma once
/// The picture of polytopes beside stable regions: where gates cross along the path, how many by block.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/polytope_numbers.hpp>
#include <plateau/viz/quartile_curve.hpp>

namespace plateau::sweep {

/// Numbers of every block behind the write site, one of them with its interval: medians over pairs.
struct block_numbers {
    std::vector<double> blocks = {};
    std::vector<polytope_numbers> of = {};

    block_numbers(sign_change_counts const& found, transitions const& curves) {
        for (auto const& gate : found.gates) {
            blocks.push_back(static_cast<double>(gate.layer));
            of.push_back(numbers_of(found, curves, gate.layer, 1));
        }
    }

    std::vector<statistics::estimate> medians(pair_design const& design,
                                              std::vector<double> polytope_numbers::*number) const {
        std::vector<statistics::estimate> all;
        for (auto const& one : of) all.push_back(design.median(one.*number));
        return all;
    }
};

namespace detail {

/// Shares of pairs by bins of a number in [0, 1], as a curve over the bins' middles.
inline viz::labelled_curve histogram_curve(std::string label, std::vector<double> const& values, index bins) {
    viz::labelled_curve curve{.label = std::move(label), .x = {}, .y = {}};
    for (index b = 0; b < bins; ++b) {
        curve.x.push_back((static_cast<double>(b) + 0.5) / static_cast<double>(bins));
        curve.y.push_back(0);
    }
    auto const known = std::count_if(values.begin(), values.end(), [](double one) { return !std::isnan(one); });
    for (double const one : values) {
        if (std::isnan(one)) continue;
        auto const b = std::min(bins - 1, static_cast<index>(one * static_cast<double>(bins)));
        curve.y[static_cast<std::size_t>(b)] += 1 / static_cast<double>(known);
    }
    return curve;
}

/// [P,S − 1]: the share of all gates that cross in each interval, per unit of α; NaN for degenerate pairs.
inline std::vector<double> crossing_density(sign_change_counts const& found, transitions const& curves) {
    double gates = 0;
    for (auto const& one : found.gates) gates += static_cast<double>(one.gates);
    index const intervals = found.hamming.extent(2);
    std::vector<double> all;
    for (index p = 0; p < found.pairs(); ++p) {
        for (index i = 0; i < intervals; ++i) {
            double sum = 0;
            for (auto const& one : found.gates) sum += static_cast<double>(found.hamming(p, one.layer, i));
            bool const degenerate = std::isnan(curves.max_slope[static_cast<std::size_t>(p)]);
            all.push_back(degenerate ? curves.max_slope[static_cast<std::size_t>(p)]
                                     : sum / gates * static_cast<double>(intervals));
        }
    }
    return all;
}

}  // namespace detail

/// @param blocks  of `found`
inline std::vector<viz::labelled_panel> polytope_panels(sign_change_counts const& found, transitions const& curves,
                                                        pair_design const& design, block_numbers const& blocks) {
    std::vector<double> middles;
    for (std::size_t i = 0; i + 1 < curves.alpha.size(); ++i)
        middles.push_back((curves.alpha[i] + curves.alpha[i + 1]) / 2);
    viz::labelled_panel along{"along the path", {"α"}, {}, {}};
    along.curves.push_back(
        viz::quartile_curve("sign changes by gate and unit of α", middles, detail::crossing_density(found, curves)));
    along.curves.push_back(viz::quartile_curve("d(α) / d(1)", curves.alpha, curves.relative));
    viz::labelled_panel count{"by block", {"block"}, {"by gate of the block"}, {}};
    viz::labelled_panel tenth{"the steepest tenth of the path", {"block"}, {"share in it"}, {}};
    tenth.references.push_back({0.1, false, false, "if evenly spread"});
    auto const add = [&](viz::labelled_panel& to, char const* label, std::vector<double> polytope_numbers::*number) {
        to.curves.push_back(viz::curve_of(label, blocks.blocks, blocks.medians(design, number)));
    };
    add(count, "sign changes", &polytope_numbers::crossings);
    add(count, "differ at both ends", &polytope_numbers::mismatch);
    add(tenth, "of the sign changes", &polytope_numbers::steepest);
    add(tenth, "of the way of what the MLP reads", &polytope_numbers::length);
    viz::labelled_panel ends{"gates that differ at both ends",
                             {"share of the block's gates", false, viz::interval{0, 1}},
                             {"share of the pairs"},
                             {}};
    std::size_t const candidates = std::min<std::size_t>(2, blocks.of.size());
    for (std::size_t k = blocks.of.size() - candidates; k < blocks.of.size(); ++k)
        ends.curves.push_back(
            detail::histogram_curve(concat({"block ", found.gates[k].layer}), blocks.of[k].mismatch, 40));
    return {std::move(along), std::move(count), std::move(tenth), std::move(ends)};
}

}  // namespace plateau::sweep
