#pragma once
/// Picture of a tree of regions: bars as high as regions are large, in columns of checkpoints, and what flows between.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/sweep/genealogy_tree.hpp>
#include <plateau/viz/flows.hpp>
#include <plateau/viz/label_panel.hpp>

namespace plateau::sweep {

/// Which bar of its column every region has: the lineages that ever were largest have bars of their own, one colour for
/// life; all others share the last bar.
class tree_bars {
public:
    static constexpr std::size_t shown = viz::label_colours::named;

    explicit tree_bars(region_tree const& tree) : tree_{tree} {
        auto const peaks = tree.peaks();
        std::vector<std::size_t> order(peaks.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return peaks[a] > peaks[b]; });
        rank_.assign(peaks.size(), shown);
        for (std::size_t i = 0; i < std::min(order.size(), shown); ++i) rank_[order[i]] = i;
        for (std::size_t k = 0; k < tree.labels.size(); ++k) place(k);
    }

    /// The column of a checkpoint. @param name  of a region by its label
    viz::flow_column column(std::size_t k, std::string label, std::function<std::string(index)> const& name) const {
        viz::flow_column found{std::move(label), {}};
        for (auto const& regions : bars_[k]) {
            double size = 0;
            for (auto const r : regions) size += static_cast<double>(tree_.sizes[k][r]);
            auto const rank = rank_of(k, regions.front());
            auto const words =
                rank < shown ? name(tree_.labels[k][regions.front()]) : concat({regions.size(), " others"});
            found.bars.push_back({size, rank < shown ? viz::label_colours::hue(rank) : viz::rgb(0xC2C7CE),
                                  words + concat({"  ", static_cast<index>(size)})});
        }
        return found;
    }

    /// What passes from column k to the next.
    std::vector<viz::flow_band> bands(std::size_t k) const {
        std::vector<viz::flow_band> found;
        for (auto const& flow : tree_.steps[k].flows) {
            auto const from = bar_of(k, flow.from), to = bar_of(k + 1, flow.to);
            auto const same = std::ranges::find_if(
                found, [&](viz::flow_band const& band) { return band.from == from && band.to == to; });
            if (same != found.end()) same->size += static_cast<double>(flow.items);
            else found.push_back({from, to, static_cast<double>(flow.items)});
        }
        return found;
    }

private:
    std::size_t rank_of(std::size_t k, std::size_t region) const {
        return rank_[static_cast<std::size_t>(tree_.lineage[k][region])];
    }

    std::size_t bar_of(std::size_t k, index region) const {
        auto const has = [&](auto const& bar) { return std::ranges::count(bar, static_cast<std::size_t>(region)) > 0; };
        return static_cast<std::size_t>(std::ranges::find_if(bars_[k], has) - bars_[k].begin());
    }

    /// Bars of a column: at first by size, then in the order of where their prompts come from, so that few bands cross.
    void place(std::size_t k) {
        std::vector<double> height;  // of each region: the mean place of its prompts in the column before
        for (std::size_t r = 0; r < tree_.labels[k].size(); ++r)
            height.push_back(-static_cast<double>(tree_.sizes[k][r]));
        if (k > 0) {
            std::fill(height.begin(), height.end(), 0.0);
            for (auto const& flow : tree_.steps[k - 1].flows) {
                auto const to = static_cast<std::size_t>(flow.to);
                height[to] += static_cast<double>(flow.items) * middle_[bar_of(k - 1, flow.from)] /
                              static_cast<double>(tree_.sizes[k][to]);
            }
        }
        std::vector<std::vector<std::size_t>> bars;
        std::vector<std::size_t> others;
        for (std::size_t r = 0; r < height.size(); ++r) {
            if (rank_of(k, r) < shown) bars.push_back({r});
            else others.push_back(r);
        }
        std::stable_sort(bars.begin(), bars.end(),
                         [&](auto const& a, auto const& b) { return height[a[0]] < height[b[0]]; });
        if (!others.empty()) bars.push_back(others);
        middle_.clear();
        double used = 0;
        for (auto const& bar : bars) {
            double size = 0;
            for (auto const r : bar) size += static_cast<double>(tree_.sizes[k][r]);
            middle_.push_back(used + size / 2);
            used += size;
        }
        bars_.push_back(std::move(bars));
    }

    region_tree const& tree_;
    std::vector<std::size_t> rank_;                            // of each lineage: its colour, or `shown`
    std::vector<std::vector<std::vector<std::size_t>>> bars_;  // [K][bars] regions
    std::vector<double> middle_;                               // of the bars of the column placed last
};

/// Columns and bands of a tree. @param steps  [K] of training
inline viz::flow_figure figure_of(region_tree const& tree, std::vector<index> const& steps,
                                  std::function<std::string(index)> const& name) {
    tree_bars const bars{tree};
    viz::flow_figure figure{.columns_name = "training step",
                            .note =
                                "a region that lives on keeps its colour; grey: all "
                                "regions beside the largest ones"};
    for (std::size_t k = 0; k < steps.size(); ++k)
        figure.columns.push_back(bars.column(k, std::to_string(steps[k]), name));
    for (std::size_t k = 0; k + 1 < steps.size(); ++k) figure.bands.push_back(bars.bands(k));
    return figure;
}

}  // namespace plateau::sweep
