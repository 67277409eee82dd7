#pragma once
/// Stability apart from splitting, and the clocks of a training: path numbers over checkpoints, with their intervals.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/corpus/pairings.hpp>
#include <plateau/statistics/prompt_replicates.hpp>
#include <plateau/statistics/reweighted_median.hpp>
#include <plateau/statistics/reweighted_spearman.hpp>
#include <plateau/sweep/genealogy.hpp>

namespace plateau::sweep {

/// How intervals over pairs of prompts are made: prompts are drawn again, contexts and checkpoints stay.
struct pair_resampling {
    statistics::bootstrap_options options = {};
    int threads = 1;

    statistics::prompt_replicates replicate(std::vector<statistics::reweighted> const& statistics,
                                            genealogy const& of) const {
        auto const pairs = corpus::all_pairs(std::ssize(of.prompts));
        return statistics::replicate(statistics, pairs, std::ssize(of.prompts), options, threads);
    }
};

using path_number = std::vector<double> path_numbers::*;

/// [C · P]: a number of all pairs in all contexts, context by context. @param keep  (context, pair) -> whether; what is
/// not kept is NaN
template <class Keep>
std::vector<double> values_of(genealogy const& of, index checkpoint, path_number number, Keep const& keep) {
    std::vector<double> all;
    for (index c = 0; c < std::ssize(of.contexts); ++c) {
        auto const& values = of.at(checkpoint, c).paths.*number;
        for (std::size_t p = 0; p < values.size(); ++p)
            all.push_back(keep(c, p) ? values[p] : std::numeric_limits<double>::quiet_NaN());
    }
    return all;
}

/// [C · P] of all pairs.
inline std::vector<double> values_of(genealogy const& of, index checkpoint, path_number number) {
    return values_of(of, checkpoint, number, [](index, std::size_t) { return true; });
}

/// Medians at one checkpoint over pairs and contexts, with the intervals of `prompt_bootstrap`, in the order given.
inline std::vector<statistics::estimate> medians_at(genealogy const& of, index checkpoint,
                                                    std::vector<path_number> const& numbers,
                                                    pair_resampling const& resampling) {
    std::vector<statistics::reweighted> all;
    for (auto const number : numbers) {
        auto const values = values_of(of, checkpoint, number);
        all.push_back(
            statistics::reweighted_median{values, static_cast<index>(values.size()) / std::ssize(of.contexts)});
    }
    return resampling.replicate(all, of).estimates();
}

/// A path number at two checkpoints, of the same pairs.
struct stability_change {
    statistics::estimate before, after;  ///< medians
    statistics::estimate change;         ///< median of the paired differences, after − before
};

/// Of pairs that are apart by likeliest token at both checkpoints, in the same context: no change of membership can
/// move these.
struct stability {
    index items = 0;  ///< pairs, in all contexts together
    stability_change interior = {}, drift = {}, width = {};
};

inline stability stability_between(genealogy const& of, checkpoint_span const& span,
                                   pair_resampling const& resampling) {
    auto const pairs = corpus::all_pairs(std::ssize(of.prompts));
    stability found;
    auto const apart = [&](index c, std::size_t p) {
        auto const [i, j] = pairs[p];
        auto const differ = [&, i = i, j = j](index checkpoint) {
            auto const& labels = of.at(checkpoint, c).labels;
            return labels[static_cast<std::size_t>(i)] != labels[static_cast<std::size_t>(j)];
        };
        return differ(span[0]) && differ(span[1]);
    };
    for (index c = 0; c < std::ssize(of.contexts); ++c) {
        for (std::size_t p = 0; p < pairs.size(); ++p) found.items += apart(c, p);
    }
    std::vector<statistics::reweighted> all;
    auto const items = static_cast<index>(pairs.size());
    for (auto const number : {&path_numbers::interior, &path_numbers::drift, &path_numbers::width}) {
        auto before = values_of(of, span[0], number, apart), after = values_of(of, span[1], number, apart);
        std::vector<double> change;
        for (std::size_t k = 0; k < before.size(); ++k) {
            change.push_back(after[k] - before[k]);
            if (std::isnan(change[k]))
                before[k] = after[k] = change[k];  // degenerate at one of both: not the same pairs
        }
        for (auto const* values : {&before, &after, &change})
            all.push_back(statistics::reweighted_median{*values, items});
    }
    auto const e = resampling.replicate(all, of).estimates();
    found.interior = {e[0], e[1], e[2]};
    found.drift = {e[3], e[4], e[5]};
    found.width = {e[6], e[7], e[8]};
    return found;
}

/// A curve over checkpoints with its simultaneous band, and when it is there.
struct training_clock {
    statistics::band curve;
    std::optional<index> checkpoint;  ///< from which on the band holds the final value

    std::vector<statistics::estimate> estimates() const {
        std::vector<statistics::estimate> all;
        for (std::size_t k = 0; k < curve.value.size(); ++k)
            all.push_back({curve.value[k], curve.low[k], curve.high[k], std::numeric_limits<double>::quiet_NaN()});
        return all;
    }
};

inline training_clock clock_of(statistics::band curve) {
    auto const first = statistics::first_inside(curve);
    return {std::move(curve), first};
}

/// Sharpness: the median max slope over pairs and contexts.
inline training_clock sharpness_clock(genealogy const& of, pair_resampling const& resampling) {
    std::vector<statistics::reweighted> all;
    for (index k = 0; k < of.checkpoints(); ++k) {
        auto const values = values_of(of, k, &path_numbers::slope);
        all.push_back(
            statistics::reweighted_median{values, static_cast<index>(values.size()) / std::ssize(of.contexts)});
    }
    return clock_of(resampling.replicate(all, of).simultaneous());
}

/// The order of the pairs: Spearman's ρ over pairs and contexts of how differently two prompts go on in a text, against
/// the width of the path between them. @param divergence  [P], NaN where it is not known
/// @see MARS V, dir19 (unreviewed): pairs are in order long before they are sharp
inline training_clock order_clock(genealogy const& of, std::vector<double> const& divergence,
                                  pair_resampling const& resampling) {
    std::vector<statistics::reweighted> all;
    for (index k = 0; k < of.checkpoints(); ++k)
        all.push_back(statistics::reweighted_spearman{divergence, values_of(of, k, &path_numbers::width)});
    return clock_of(resampling.replicate(all, of).of_correlations());
}

}  // namespace plateau::sweep
