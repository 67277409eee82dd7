#pragma once
/// Tree of regions over a training: lineages of regions that live on, and what flows between them.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/csv.hpp>
#include <plateau/statistics/region_matching.hpp>
#include <plateau/sweep/genealogy.hpp>

namespace plateau::sweep {

/// Regions of K checkpoints in one context. A region that has a match at the next checkpoint hands its lineage on.
struct region_tree {
    std::vector<std::vector<index>> labels, sizes;   ///< [K][regions], by labels ascending
    std::vector<std::vector<index>> lineage;         ///< [K][regions] numbers from 0 on, in the order of appearance
    std::vector<statistics::region_matching> steps;  ///< [K − 1]

    index checkpoints() const { return static_cast<index>(labels.size()); }
    index lineages() const {
        index count = 0;
        for (auto const& column : lineage) {
            for (index const one : column) count = std::max(count, one + 1);
        }
        return count;
    }
    /// The most prompts that each lineage ever has, [lineages].
    std::vector<index> peaks() const {
        std::vector<index> most(static_cast<std::size_t>(lineages()));
        for (std::size_t k = 0; k < lineage.size(); ++k) {
            for (std::size_t r = 0; r < lineage[k].size(); ++r) {
                auto& peak = most[static_cast<std::size_t>(lineage[k][r])];
                peak = std::max(peak, sizes[k][r]);
            }
        }
        return most;
    }
};

/// @param labels  K >= 1 labelings of the same N prompts      @throws shape_error without any, or of another number
/// @see statistics::match_regions
inline region_tree tree_of(std::vector<std::span<index const>> const& labels) {
    if (labels.empty()) throw shape_error("a tree needs labels of at least one checkpoint");
    region_tree tree;
    auto const first = statistics::match_regions(labels[0], labels[0]);
    tree.labels.push_back(first.before);
    tree.sizes.push_back(first.sizes_before);
    tree.lineage.emplace_back();
    for (std::size_t r = 0; r < first.before.size(); ++r) tree.lineage[0].push_back(static_cast<index>(r));
    index next = static_cast<index>(first.before.size());
    for (std::size_t k = 1; k < labels.size(); ++k) {
        auto step = statistics::match_regions(labels[k - 1], labels[k]);
        std::vector<index> lineage;
        for (index const from : step.match_of)
            lineage.push_back(from < 0 ? next++ : tree.lineage[k - 1][static_cast<std::size_t>(from)]);
        tree.labels.push_back(step.after);
        tree.sizes.push_back(step.sizes_after);
        tree.lineage.push_back(std::move(lineage));
        tree.steps.push_back(std::move(step));
    }
    return tree;
}

/// The tree of regions by likeliest token in the first context.
inline region_tree tree_of(genealogy const& of) {
    std::vector<std::span<index const>> labels;
    for (index k = 0; k < of.checkpoints(); ++k) labels.push_back(of.labels(partition_rules[0], k, 0));
    return tree_of(labels);
}

inline char const* name_of(statistics::region_flow::kind what) {
    constexpr char const* names[]{"kept", "split", "merge", "passing", "stray"};
    return names[static_cast<int>(what)];
}

/// Every flow on a line: from_step,to_step,from_lineage,to_lineage,from_label,to_label,prompts,kind.
/// @param steps  [K] of training
inline std::string csv_of(region_tree const& tree, std::vector<index> const& steps) {
    std::string text = "from_step,to_step,from_lineage,to_lineage,from_label,to_label,prompts,kind\n";
    for (std::size_t k = 0; k < tree.steps.size(); ++k) {
        for (auto const& flow : tree.steps[k].flows) {
            auto const from = static_cast<std::size_t>(flow.from), to = static_cast<std::size_t>(flow.to);
            text += csv_line(steps[k], steps[k + 1], tree.lineage[k][from], tree.lineage[k + 1][to],
                             tree.labels[k][from], tree.labels[k + 1][to], flow.items, name_of(flow.what));
        }
    }
    return text;
}

}  // namespace plateau::sweep
