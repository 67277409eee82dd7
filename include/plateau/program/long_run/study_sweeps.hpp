#pragma once
/// Sweeps of a study: over its pairs, along straight lines, and those of experiments that are told how to sweep.

#include <vector>

#include <plateau/program/study.hpp>
#include <plateau/sweep/interpolate.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::program {

/// What experiments take in the place of sweep::at_once. @param points  of a thing      @param prompts  kept as a
/// reference
inline auto sweeper(study& study, index points, prompt_list const& prompts) {
    return [&study, &prompts, points](index count, auto const& measure) {
        return study.runs.measure({count, points, prompts}, study.meter, measure);
    };
}

/// A sweep over the pairs of a study, timed. @param measure  (pairs, number of the first one) -> results, which list
/// their arrays by each_array
template <class Measure>
auto sweep_pairs(study& study, prompt_list const& prompts, sweep::pair_design const& design, index points,
                 Measure const& measure) {
    return study.meter.timed([&] {
        return study.runs.measure(
            {design.count(), points, prompts, design.pairs}, study.meter,
            [&](index first, index count) { return measure(some_of(design.pairs, first, count), first); });
    });
}

/// That along straight lines. @param where  write and read site
template <class T>
sweep::distance_curves sweep_lines(study& study, model<T> const& model, prompt_list const& prompts,
                                   sweep::pair_design const& design, index steps, sweep::setup where) {
    where.progress = study.meter.counter();
    return sweep_pairs(study, prompts, design, steps, [&](auto const& pairs, index) {
        auto curves = sweep::interpolate(model, prompts, pairs, steps, where);
        sweep::require_finite(curves.distances, where.read);
        return curves;
    });
}

}  // namespace plateau::program
