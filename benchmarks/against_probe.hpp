#pragma once
/// For Google Benchmark: every iteration times the work between two looks at what the processor can do.

#include <benchmark/benchmark.h>

#include "timing.hpp"

namespace plateau::benchmarks {

struct rates {
    double reached, possible;

    double fraction() const { return possible > 0 ? reached / possible : 0; }
};

/// @param amount  of one call, in the units that the probe counts per second      @param probe  returns a rate
template <class Work, class Probe>
rates against_probe(benchmark::State& state, double amount, Work&& work, Probe&& probe) {
    index const repeats = repeats_for(0.01, work);
    double spent = 0, possible = 0, rounds = 0;
    for (auto _ : state) {
        possible += 0.5 * probe();
        double const time = seconds_per_call(repeats, work);
        possible += 0.5 * probe();
        state.SetIterationTime(time);
        spent += time;
        ++rounds;
    }
    return {amount * rounds / spent, possible / rounds};
}

inline benchmark::Counter per_second(double value) {
    return benchmark::Counter(value, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
}

}  // namespace plateau::benchmarks
