#pragma once
/// Genealogy of regions: what becomes of partitions of the same prompts from checkpoint to checkpoint of a training.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/statistics/partition_change.hpp>
#include <plateau/statistics/permuted_information.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/at_once.hpp>
#include <plateau/sweep/context_partition.hpp>

namespace plateau::sweep {

/// One way to say which prompts lie in one region.
struct partition_rule {
    char const* name;
    std::vector<index> context_partition::*labels;
};
inline constexpr std::array<partition_rule, 3> partition_rules{{{"token", &context_partition::labels},
                                                                {"joined", &context_partition::joined},
                                                                {"slope", &context_partition::smooth}}};

/// Partitions of N prompts at K checkpoints, in C contexts each.
struct genealogy {
    prompt_list prompts = {};
    std::vector<index> contexts = {};                ///< [C] numbers of prompts
    std::vector<context_partition> partitions = {};  ///< [K, C]
    std::array<index, 2> extents = {};               ///< vocabulary, width of the write site: the same for all

    index checkpoints() const { return std::ssize(contexts) == 0 ? 0 : std::ssize(partitions) / std::ssize(contexts); }
    context_partition const& at(index checkpoint, index in_context) const {
        return partitions[static_cast<std::size_t>(checkpoint * std::ssize(contexts) + in_context)];
    }
    std::span<index const> labels(partition_rule const& rule, index checkpoint, index in_context) const {
        return at(checkpoint, in_context).*rule.labels;
    }

    /// [K]: pairs of prompts whose path moves nothing, of all contexts: joined by slope, left out of other numbers.
    std::vector<index> degenerate() const {
        std::vector<index> all(static_cast<std::size_t>(checkpoints()));
        for (std::size_t i = 0; i < partitions.size(); ++i)
            all[i / contexts.size()] +=
                std::ranges::count_if(partitions[i].paths.slope, [](double slope) { return std::isnan(slope); });
        return all;
    }
    /// A line of a report, if there are any.
    std::string degenerate_text() const {
        std::string text;
        index sum = 0;
        for (index const one : degenerate()) {
            text += (text.empty() ? "" : ", ") + std::to_string(one);
            sum += one;
        }
        return sum == 0 ? "" : "degenerate pairs, by checkpoint: " + text + "; joined by slope, left out elsewhere\n";
    }
};

/// One without checkpoints. @param contexts  numbers of prompts; none for the first four, or as many as there are
/// @throws usage_error on fewer than 2 prompts, a context that is not there, or one that is named twice
inline genealogy genealogy_of(prompt_list prompts, std::vector<index> contexts) {
    auto const count = std::ssize(prompts);
    if (count < 2) throw usage_error("a partition needs at least 2 prompts, got ", count);
    if (contexts.empty()) {
        for (index i = 0; i < std::min<index>(count, 4); ++i) contexts.push_back(i);
    }
    for (index const one : contexts) {
        if (one < 0 || one >= count)
            throw usage_error("a context is prompt ", one, ", there are ", count, ", counted from 0");
        if (std::ranges::count(contexts, one) > 1) throw usage_error("prompt ", one, " is named twice as a context");
    }
    return {std::move(prompts), std::move(contexts)};
}

/// Adds the partitions of a checkpoint: activations are those of its own runs.
/// @param sweep  (how many, measure) -> what measure(first, count) gives of all of so many things, in one call or in
///               pieces. Things are pairs of prompts, all of them in the first context, then in the second, …
/// @throws usage_error unless its vocabulary and the width of its write site are those of the first; those of
/// partition_in_context
template <class T, class Sweep = at_once>
void add_checkpoint(genealogy& to, model<T> const& model, partition_options const& o, Sweep const& sweep = {}) {
    auto const site = require_vector_site(model.sites(), o.where.write);
    std::array<index, 2> const extents{model.vocabulary(), site.heads * site.width};
    if (to.partitions.empty()) to.extents = extents;
    if (to.extents != extents)
        throw usage_error("checkpoint ", to.checkpoints(), ", counted from 0, has ", extents[0],
                          " tokens and a width of ", extents[1], " at ", site.name(), ", the first one has ",
                          to.extents[0], " and ", to.extents[1], ": give checkpoints of one training");
    auto const activations = last_activations(model, to.prompts, o.where.write);
    auto const pairs = corpus::all_pairs(std::ssize(to.prompts));
    auto const count = std::ssize(pairs);
    std::vector<std::vector<index>> labels(to.contexts.size());
    auto const labels_of = [&](std::size_t c) -> auto const& {
        if (labels[c].empty()) labels[c] = labels_in_context<T>(model, {to.prompts, activations, to.contexts[c]}, o);
        return labels[c];
    };
    auto const found = sweep(std::ssize(to.contexts) * count, [&](index first, index some) {
        paths_in_context part;
        for (index const end = first + some; first < end;) {
            auto const c = static_cast<std::size_t>(first / count);
            index const from = first % count, here = std::min(end - first, count - from);
            add_paths<T>(part, model, {to.prompts, activations, to.contexts[c]}, labels_of(c),
                         std::span{pairs}.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(here)), o);
            first += here;
        }
        return part;
    });
    for (std::size_t c = 0; c < labels.size(); ++c) {
        auto const first = static_cast<index>(c) * count;
        to.partitions.push_back(partition_of(labels_of(c), found.paths.part(first, count),
                                             std::span{found.joined}.subspan(static_cast<std::size_t>(first)),
                                             o.same_region));
    }
}

/// Two checkpoints, by number.
using checkpoint_span = std::array<index, 2>;

/// (0, 1), (1, 2), …, and from the first to the last if that is not among them.
inline std::vector<checkpoint_span> checkpoint_spans(index checkpoints) {
    std::vector<checkpoint_span> all;
    for (index k = 0; k + 1 < checkpoints; ++k) all.push_back({k, k + 1});
    if (checkpoints > 2) all.push_back({0, checkpoints - 1});
    return all;
}

/// P(apart at t′ | together at t) and P(together at t′ | apart at t) over pairs of prompts, of all contexts together.
inline statistics::partition_change change_between(genealogy const& of, partition_rule const& rule,
                                                   checkpoint_span const& span,
                                                   statistics::bootstrap_options const& resampling) {
    std::vector<statistics::labeling_pair> labelings;
    for (index c = 0; c < std::ssize(of.contexts); ++c)
        labelings.push_back({of.labels(rule, span[0], c), of.labels(rule, span[1], c)});
    return statistics::change_of_partitions(labelings, resampling);
}

/// The noise floor of both: the same from one context to another of one checkpoint, of all ordered pairs of contexts
/// together. All NaN with a single context.
inline statistics::partition_change change_of_context(genealogy const& of, partition_rule const& rule, index checkpoint,
                                                      statistics::bootstrap_options const& resampling) {
    std::vector<statistics::labeling_pair> labelings;
    for (index c = 0; c < std::ssize(of.contexts); ++c) {
        for (index d = 0; d < std::ssize(of.contexts); ++d) {
            if (c != d) labelings.push_back({of.labels(rule, checkpoint, c), of.labels(rule, checkpoint, d)});
        }
    }
    if (!labelings.empty()) return statistics::change_of_partitions(labelings, resampling);
    double const nan = std::numeric_limits<double>::quiet_NaN();
    return {{nan, nan, nan, nan}, {nan, nan, nan, nan}};
}

/// Entropies and adjusted mutual information of partitions at two checkpoints, each number the median over contexts,
/// its permutation null too. @see statistics::information_of
inline statistics::labeling_information information_between(genealogy const& of, partition_rule const& rule,
                                                            checkpoint_span const& span,
                                                            statistics::permutation_options const& permuting) {
    using statistics::labeling_information, statistics::permuted_number;
    std::vector<labeling_information> all;
    for (index c = 0; c < std::ssize(of.contexts); ++c)
        all.push_back(statistics::information_of(of.labels(rule, span[0], c), of.labels(rule, span[1], c), permuting));
    auto const median = [&](permuted_number labeling_information::*number, double permuted_number::*part) {
        std::vector<double> values;
        for (auto const& one : all) values.push_back(one.*number.*part);
        return statistics::median(values);
    };
    auto const medians = [&](permuted_number labeling_information::*number) -> permuted_number {
        return {median(number, &permuted_number::value), median(number, &permuted_number::null_mean),
                median(number, &permuted_number::null_bound)};
    };
    return {medians(&labeling_information::splitting), medians(&labeling_information::merging),
            medians(&labeling_information::adjusted)};
}

}  // namespace plateau::sweep
