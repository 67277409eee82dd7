#pragma once
/// Numbers of a genealogy: how partitions split and merge, beside their noise, and when a training is there.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/parallel.hpp>
#include <plateau/sweep/genealogy.hpp>
#include <plateau/sweep/genealogy_stability.hpp>
#include <plateau/sweep/genealogy_tree.hpp>

namespace plateau::sweep {

/// What one rule says.
struct rule_numbers {
    std::vector<statistics::partition_change> changes = {};          ///< by span of checkpoints
    std::vector<statistics::partition_change> floors = {};           ///< [K] from context to context
    std::vector<statistics::labeling_information> information = {};  ///< by span of checkpoints
};

/// Of K checkpoints. Intervals are of prompts drawn again; contexts and checkpoints stay as they are.
struct genealogy_numbers {
    std::vector<checkpoint_span> spans;
    std::array<rule_numbers, partition_rules.size()> rules = {};
    std::vector<stability> stabilities = {};  ///< by span of checkpoints
    training_clock sharpness = {};
    std::optional<training_clock> order = {};                           ///< if it is known how prompts go on
    std::vector<std::vector<statistics::estimate>> concentration = {};  ///< [K] medians of Γ, Φ, Λ
};

/// @param divergence  [P] of `order_clock`, or nothing      @pre K >= 2
inline genealogy_numbers numbers_of(genealogy const& of, std::vector<double> const& divergence,
                                    pair_resampling const& resampling) {
    genealogy_numbers all{checkpoint_spans(of.checkpoints())};
    auto const spans = static_cast<index>(all.spans.size()), checkpoints = of.checkpoints();
    for (auto& rule : all.rules) {
        rule.changes.resize(all.spans.size());
        rule.information.resize(all.spans.size());
        rule.floors.resize(static_cast<std::size_t>(checkpoints));
    }
    index const jobs = 2 * spans + checkpoints;
    parallel_for(resampling.threads, static_cast<index>(all.rules.size()) * jobs, [&](index i, int) {
        auto const r = static_cast<std::size_t>(i / jobs), job = static_cast<std::size_t>(i % jobs);
        auto const& rule = partition_rules[r];
        auto& to = all.rules[r];
        auto const count = all.spans.size();
        if (job < count) to.changes[job] = change_between(of, rule, all.spans[job], resampling.options);
        else if (job < 2 * count)
            to.information[job - count] = information_between(of, rule, all.spans[job - count],
                                                              {.permutations = 500, .seed = resampling.options.seed});
        else
            to.floors[job - 2 * count] =
                change_of_context(of, rule, static_cast<index>(job - 2 * count), resampling.options);
    });
    for (auto const& span : all.spans) all.stabilities.push_back(stability_between(of, span, resampling));
    all.sharpness = sharpness_clock(of, resampling);
    if (!divergence.empty()) all.order = order_clock(of, divergence, resampling);
    for (index k = 0; k < checkpoints; ++k)
        all.concentration.push_back(
            medians_at(of, k, {&path_numbers::gain, &path_numbers::flanks, &path_numbers::window}, resampling));
    return all;
}

}  // namespace plateau::sweep
