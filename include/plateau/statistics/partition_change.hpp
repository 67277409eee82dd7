#pragma once
/// Change of a partition: how often two items that were together are apart, and the other way round.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/statistics/contingency.hpp>
#include <plateau/statistics/region_count.hpp>

namespace plateau::statistics {

/// Two labelings of the same N items; only equality of labels counts.
struct labeling_pair {
    std::span<index const> before, after;  ///< [N] each
};

/// Over pairs of different items, of all labelings taken together:
struct partition_change {
    estimate splitting;  ///< P(apart after | together before); NaN if no pair is together before
    estimate merging;    ///< P(together after | apart before); NaN if no pair is apart before
};

/// Σ over labelings and pairs of items of those that change, over Σ of those that might. Standard errors are those of
/// `prompt_bootstrap` (a pair has the product of its items' weights), in O(N) a resample instead of O(N²); intervals
/// are Wilson's of as many trials as would have that error, n = p (1 − p) / error²: of rare changes percentiles cover
/// less than they say. They are for items drawn from a population, the rules of the labelings (contexts) as they are;
/// wider than needed, as pigeonhole errors may be, where all regions are of one size and split alike. Where no pair or
/// each pair changes, no resample differs from another: n is the number of pairs without a common item then, N / 2, or
/// that of pairs that might change if those are fewer. No interval where a resample has none that might.
/// @param labelings  at least one, all of the same items, N >= 2
/// @throws shape_error otherwise; usage_error of require_options
inline partition_change change_of_partitions(std::span<labeling_pair const> labelings,
                                             bootstrap_options const& options = {});

namespace detail {

/// How often two items have the same label, from sums over labels.
struct label_sums {
    std::vector<index> sizes;        ///< items of each label
    std::vector<std::size_t> label;  ///< [N], counted from 0

    explicit label_sums(std::span<index const> labels) : label{number_labels(labels, sizes)} {}
    /// The labels that are pairs of labels.
    label_sums(label_sums const& x, label_sums const& y) {
        std::vector<index> both;
        for (std::size_t i = 0; i < x.label.size(); ++i)
            both.push_back(static_cast<index>(x.label[i] * y.sizes.size() + y.label[i]));
        label = number_labels(both, sizes);
    }

    /// Σ of w_i w_j over i ≠ j of one label. @param often  [N] w      @param own  Σ w_i²
    double together(std::span<double const> often, double own) const {
        std::vector<double> sums(sizes.size());
        for (std::size_t i = 0; i < label.size(); ++i) sums[label[i]] += often[i];
        for (double const one : sums) own -= one * one;
        return -own;
    }
};

struct labeling_sums {
    label_sums before, after, both;
};

/// Pairs of items, twice each.
struct change_counts {
    double together = 0, split = 0, apart = 0, merged = 0;

    change_counts(std::vector<labeling_sums> const& labelings, std::span<double const> often, double all, double own) {
        for (auto const& one : labelings) {
            double const before = one.before.together(often, own), after = one.after.together(often, own),
                         both = one.both.together(often, own);
            together += before, split += before - both;
            apart += all - before, merged += after - both;
        }
    }
    static double share(double part, double whole) {
        return whole > 0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
    }
    double splitting() const { return share(split, together); }
    double merging() const { return share(merged, apart); }
};

/// @param might  pairs that might change, in one labeling
inline estimate share_estimate(double value, std::vector<double>& replicates, double might, index items, double level) {
    auto found = percentile_estimate(value, replicates, level);  // whose standard error counts
    double const variance = found.standard_error * found.standard_error;
    double const nan = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(value) || std::isnan(variance)) return {value, nan, nan, nan};
    auto const apart = std::max<index>(1, std::min(items / 2, static_cast<index>(might)));
    if (value == 0 || value == 1) return wilson_estimate(value, static_cast<double>(apart), level);
    if (!(variance > 0)) return {value, nan, nan, nan};
    auto const interval = wilson_estimate(value, value * (1 - value) / variance, level);
    return {value, interval.low, interval.high, found.standard_error};
}

}  // namespace detail

inline partition_change change_of_partitions(std::span<labeling_pair const> labelings,
                                             bootstrap_options const& options) {
    std::size_t const items = labelings.empty() ? 0 : labelings.front().before.size();
    std::vector<detail::labeling_sums> sums;
    for (auto const& [before, after] : labelings) {
        if (before.size() != items || after.size() != items || items < 2)
            throw shape_error("a change of partitions needs two labels of each of at least 2 items, got ",
                              before.size(), " and ", after.size());
        detail::label_sums x{before}, y{after};
        detail::label_sums both{x, y};
        sums.push_back({std::move(x), std::move(y), std::move(both)});
    }
    if (sums.empty()) throw shape_error("a change of partitions needs labelings");
    require_options(options);
    double const n = static_cast<double>(items);
    std::vector<double> often(items, 1.0), splitting, merging;
    detail::change_counts const sample{sums, often, n * n - n, n};
    counter_rng rng{options.seed};
    while (static_cast<index>(splitting.size()) < options.resamples) {
        std::fill(often.begin(), often.end(), 0.0);
        for (std::size_t k = 0; k < items; ++k) ++often[rng.below(items)];
        double own = 0;
        for (double const one : often) own += one * one;
        if (!(n * n > own)) continue;  // one item alone was drawn: again
        detail::change_counts const resample{sums, often, n * n - own, own};
        splitting.push_back(resample.splitting());
        merging.push_back(resample.merging());
    }
    auto const of = [&](double value, std::vector<double>& replicates, double pairs) {
        double const might = pairs / 2 / static_cast<double>(sums.size());
        return detail::share_estimate(value, replicates, might, static_cast<index>(items), options.level);
    };
    return {of(sample.splitting(), splitting, sample.together), of(sample.merging(), merging, sample.apart)};
}

}  // namespace plateau::statistics
