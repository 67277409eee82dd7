#pragma once
/// Time, and what to make of it: machines are shared, so only ratios within one run count, and medians of them.

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::benchmarks {

/// Seconds that a call takes.
template <class F>
double seconds(F&& call) {
    auto const start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// @pre values are not empty
inline double median(std::vector<double> values) {
    auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// How often to call `work` so that it takes about `wanted` seconds, at least once. Calls it once or twice.
template <class F>
index repeats_for(double wanted, F&& work) {
    work();
    return std::max<index>(1, static_cast<index>(wanted / std::max(seconds(work), 1e-9)));
}

/// Seconds per call of `work`, called `repeats` times.
template <class F>
double seconds_per_call(index repeats, F&& work) {
    return seconds([&] {
               for (index i = 0; i < repeats; ++i) work();
           }) / static_cast<double>(repeats);
}

}  // namespace plateau::benchmarks
