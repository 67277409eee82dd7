#pragma once
/// Bodies of core/core_affinity.hpp.

#include <cstdio>
#include <string>

#include <plateau/core/core_affinity.hpp>
#include <plateau/core/macros.hpp>

namespace plateau {

#if defined(__linux__)

namespace detail {

PLATEAU_INLINE bool leads_its_core(int cpu) {
    std::string const path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list";
    int first = cpu;
    if (std::FILE* const file = std::fopen(path.c_str(), "r")) {
        if (std::fscanf(file, "%d", &first) != 1) first = cpu;
        std::fclose(file);
    }
    return first == cpu;
}

}  // namespace detail

PLATEAU_INLINE core_affinity::core_affinity(int threads) {
    if (sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    int count = 0;
    for (bool first_of_core : {true, false}) {  // second threads of a core only where cores are too few
        for (int cpu = 0; cpu < CPU_SETSIZE && count < threads; ++cpu) {
            bool const follows = first_of_core && !detail::leads_its_core(cpu);
            if (!CPU_ISSET(cpu, &before_) || CPU_ISSET(cpu, &chosen) || follows) continue;
            CPU_SET(cpu, &chosen);
            ++count;
        }
    }
    held_ = count == threads && sched_setaffinity(0, sizeof chosen, &chosen) == 0;
}

PLATEAU_INLINE core_affinity::~core_affinity() {
    if (held_) sched_setaffinity(0, sizeof before_, &before_);
}

#else

PLATEAU_INLINE core_affinity::core_affinity(int) {}
PLATEAU_INLINE core_affinity::~core_affinity() = default;

#endif

}  // namespace plateau
