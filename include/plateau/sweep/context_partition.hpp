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

/// Every prompt's activation A_i at the write site and its last position, put into C's run at C's last position; every
/// pair i < j along the straight line from A_i to A_j there, S points each. Memory: `paths`, and one batch of pairs.
/// @throws usage_error (steps < 2, fewer than 2 prompts, another context); those of lines_in_context
/// @see sweep::interpolate, whose pairs (C, j) these are too
template <class T>
context_partition partition_in_context(model<T> const& model, line_context<T> const& where,
                                       partition_options const& o) {
    auto const count = static_cast<index>(where.prompts.size());
    if (o.steps < 2) throw usage_error("an interpolation needs at least 2 steps, got ", o.steps);
    auto const pairs = corpus::all_pairs(count);
    if (pairs.empty()) throw usage_error("a partition needs at least 2 prompts, got ", count);
    if (where.prompt < 0 || where.prompt >= count)
        throw usage_error("a context is prompt ", where.prompt, ", there are ", count, ", counted from 0");
    context_partition found;

    std::vector<corpus::pair> alone;
    for (index i = 0; i < count; ++i) alone.push_back({i, i});
    engine::predictions<T> own{count, 1, 1};
    auto once = o.where;
    once.progress = {};
    lines_in_context<T>(model, where, alone, 1, once, engine::read_predictions(model.engine(), own));
    found.labels = next_tokens_of(std::move(own)).tokens;

    index const batch = std::max<index>(o.points_together / o.steps, 1);
    joined_prompts<T> joined{model.engine(), found.labels, o.steps};
    disjoint_sets smooth{count};
    for (index first = 0; first < static_cast<index>(pairs.size()); first += batch) {
        auto const some = std::span{pairs}.subspan(static_cast<std::size_t>(first));
        auto const here = some.first(std::min(some.size(), static_cast<std::size_t>(batch)));
        joined.begin(here);
        auto const curves = lines_in_context<T>(model, where, here, o.steps, o.where, joined.reads());
        require_finite(curves.distances, o.where.read);
        for (std::size_t p = 0; p < here.size(); ++p) {
            found.paths.add(curves.alpha, curves[static_cast<index>(p)], o.min_d1);
            double const slope = found.paths.slope.back();
            if (std::isnan(slope) || slope < o.same_region) smooth.merge(here[p][0], here[p][1]);
        }
    }
    found.joined = joined.components();
    found.smooth = smooth.all();
    return found;
}

}  // namespace plateau::sweep
