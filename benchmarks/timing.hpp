#pragma once
/// Time, and what to make of it: machines are shared, so only ratios within one run count, and medians of them.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::benchmarks {

/// Seconds that a call takes.
template <class F>
double wall_seconds(F&& call) {
    auto const start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Seconds that the calling thread computes during a call: what other programs take of its processor meanwhile does
/// not count (what they take of caches and memory does). Where the system does not tell, as wall_seconds.
template <class F>
double seconds(F&& call) {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    timespec start{}, end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    call();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return static_cast<double>(end.tv_sec - start.tv_sec) + 1e-9 * static_cast<double>(end.tv_nsec - start.tv_nsec);
#else
    return wall_seconds(call);
#endif
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
           }) /
           static_cast<double>(repeats);
}

}  // namespace plateau::benchmarks
