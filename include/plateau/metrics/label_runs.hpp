#pragma once
/// Runs of equal labels along a path: the likeliest next tokens, region numbers.

#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::metrics {

/// Points first … first + count − 1 all have this label, and their neighbours have not.
template <class Label>
struct label_run {
    Label label;
    index first;
    index count;
};

/// The runs of a path's labels, in order. @param labels  [S]
template <class Label>
std::vector<label_run<Label>> runs_of(std::span<Label const> labels) {
    std::vector<label_run<Label>> runs;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (runs.empty() || !(runs.back().label == labels[i])) runs.push_back({labels[i], static_cast<index>(i), 0});
        ++runs.back().count;
    }
    return runs;
}

/// The runs of at least `persistent` points whose label is neither that of the first point nor that of the last: third
/// tokens on the way from A to B. @see MARS V (persistent third top-1 token)
template <class Label>
std::vector<label_run<Label>> third_runs(std::span<Label const> labels, index persistent) {
    std::vector<label_run<Label>> thirds;
    for (auto const& run : runs_of(labels)) {
        bool const at_end = run.label == labels.front() || run.label == labels.back();
        if (!at_end && run.count >= persistent) thirds.push_back(run);
    }
    return thirds;
}

}  // namespace plateau::metrics
