#pragma once
/// Partition of prompts by a context: which of them go on alike when their activations are put into one run.

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/disjoint_sets.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/sweep/joined_prompts.hpp>
#include <plateau/sweep/lines_in_context.hpp>
#include <plateau/sweep/next_tokens.hpp>
#include <plateau/sweep/path_numbers.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

struct partition_options {
    setup where = {};
    index steps = 50;          ///< points of a pair, at least 2
    double same_region = 1.5;  ///< a pair with a max slope below is joined by slope
    double min_d1 = 0;         ///< a pair with d(1) not above is degenerate: joined by slope, without numbers
    index points_together = index{1} << 20;  ///< of a sweep, at most, but for a single pair; no result depends on it
};

/// What is known of N prompts in one context C. A component is named after the smallest prompt in it.
struct context_partition {
    std::vector<index> labels = {};  ///< [N] the likeliest next token of F_C at each prompt's own activation
    std::vector<index> joined = {};  ///< [N] components of pairs whose straight path in C keeps the likeliest token
    std::vector<index> smooth = {};  ///< [N] components of pairs whose path has a small max slope
    path_numbers paths = {};         ///< [P] of all pairs i < j, by i, then j
};

/// What a sweep tells of some pairs of prompts in one context, or in several, one after the other.
struct paths_in_context {
    path_numbers paths = {};
    std::vector<char> joined = {};  ///< 1 where the likeliest token stays: of as many pairs as it takes to connect

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        path_numbers::each_array(self.paths, visit);
        visit(self.joined);
    }
};

/// [N]: the likeliest next token when every prompt's activation A_i at the write site and its last position is put into
/// C's run at C's last position.
/// @throws usage_error (steps < 2, fewer than 2 prompts, another context); those of lines_in_context
template <class T>
std::vector<index> labels_in_context(model<T> const& model, line_context<T> const& where, partition_options const& o) {
    auto const count = static_cast<index>(where.prompts.size());
    if (o.steps < 2) throw usage_error("an interpolation needs at least 2 steps, got ", o.steps);
    if (count < 2) throw usage_error("a partition needs at least 2 prompts, got ", count);
    if (where.prompt < 0 || where.prompt >= count)
        throw usage_error("a context is prompt ", where.prompt, ", there are ", count, ", counted from 0");
    std::vector<corpus::pair> alone;
    for (index i = 0; i < count; ++i) alone.push_back({i, i});
    engine::predictions<T> own{count, 1, 1};
    auto once = o.where;
    once.progress = {};
    lines_in_context<T>(model, where, alone, 1, once, engine::read_predictions(model.engine(), own));
    return next_tokens_of(std::move(own)).tokens;
}

/// Adds pairs to `found`, along the straight line from A_i to A_j in C's run, S points each. Memory: `found`, and one
/// batch of pairs. @param labels  of labels_in_context      @throws those of lines_in_context
template <class T>
void add_paths(paths_in_context& found, model<T> const& model, line_context<T> const& where,
               std::vector<index> const& labels, std::span<corpus::pair const> pairs, partition_options const& o) {
    auto const batch = static_cast<std::size_t>(std::max<index>(o.points_together / o.steps, 1));
    joined_prompts<T> joined{model.engine(), labels, o.steps};
    for (; !pairs.empty(); pairs = pairs.subspan(std::min(pairs.size(), batch))) {
        auto const here = pairs.first(std::min(pairs.size(), batch));
        joined.begin(here);
        auto const curves = lines_in_context<T>(model, where, here, o.steps, o.where, joined.reads());
        require_finite(curves.distances, o.where.read);
        for (index p = 0; p < std::ssize(here); ++p) found.paths.add(curves.alpha, curves[p], o.min_d1);
        found.joined.insert(found.joined.end(), joined.edges().begin(), joined.edges().end());
    }
}

/// The partition of one context. @param paths,joined  of all pairs i < j
inline context_partition partition_of(std::vector<index> labels, path_numbers paths, std::span<char const> joined,
                                      double same_region) {
    auto const count = std::ssize(labels);
    auto const pairs = corpus::all_pairs(count);
    disjoint_sets alike{count}, smooth{count};
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        double const slope = paths.slope[p];
        if (joined[p] != 0) alike.merge(pairs[p][0], pairs[p][1]);
        if (std::isnan(slope) || slope < same_region) smooth.merge(pairs[p][0], pairs[p][1]);
    }
    return {std::move(labels), alike.all(), smooth.all(), std::move(paths)};
}

/// Every pair of prompts in one context.
/// @throws usage_error (steps < 2, fewer than 2 prompts, another context); those of lines_in_context
/// @see sweep::interpolate, whose pairs (C, j) these are too
template <class T>
context_partition partition_in_context(model<T> const& model, line_context<T> const& where,
                                       partition_options const& o) {
    auto labels = labels_in_context(model, where, o);
    paths_in_context found;
    add_paths<T>(found, model, where, labels, corpus::all_pairs(std::ssize(labels)), o);
    return partition_of(std::move(labels), std::move(found.paths), found.joined, o.same_region);
}

}  // namespace plateau::sweep
