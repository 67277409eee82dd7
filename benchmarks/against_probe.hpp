#pragma once
/// For Google Benchmark: every iteration times the work between two looks at what the processor can do.

#include <benchmark/benchmark.h>

#include "timing.hpp"

namespace plateau::benchmarks {

/// Rounds of a benchmark; what it reports are medians of them.
inline constexpr int benchmark_rounds = 11;

struct rates {
    double reached;   ///< per second
    double fraction;  ///< of what the probe reached right before and after; 0 if it says nothing
};

/// The time of an iteration is that of one call of `work`, which is called for about 10 ms.
/// @param amount  of one call, in the units that the probe counts per second      @param probe  returns a rate
template <class Work, class Probe>
rates against_probe(benchmark::State& state, double amount, Work&& work, Probe&& probe) {
    index const repeats = repeats_for(0.01, work);
    std::vector<double> reached, fractions;
    for (auto _ : state) {
        double const before = probe();
        double const time = seconds_per_call(repeats, work);
        double const possible = 0.5 * (before + probe());
        state.SetIterationTime(time);
        reached.push_back(amount / time);
        fractions.push_back(possible > 0 ? amount / time / possible : 0);
    }
    return {median(reached), median(fractions)};
}

inline benchmark::Counter per_second(double value) {
    return benchmark::Counter(value, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
}

}  // namespace plateau::benchmarks
