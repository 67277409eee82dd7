#pragma once
/// Threads held on as many cores.

#include <cstdio>
#include <string>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace plateau {

/// While it lives, this thread and those that it starts stay on `threads` processors, each of another core: two threads
/// that nobody holds often share one. Elsewhere than on Linux it does nothing, and says so.
class pinned {
public:
    explicit pinned(int threads) {
#if defined(__linux__)
        if (sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        cpu_set_t chosen;
        CPU_ZERO(&chosen);
        int count = 0;
        for (bool first_of_core : {true, false}) {  // second threads of a core only where cores are too few
            for (int cpu = 0; cpu < CPU_SETSIZE && count < threads; ++cpu) {
                if (!CPU_ISSET(cpu, &before_) || CPU_ISSET(cpu, &chosen) || (first_of_core && !leads_its_core(cpu)))
                    continue;
                CPU_SET(cpu, &chosen);
                ++count;
            }
        }
        held_ = count == threads && sched_setaffinity(0, sizeof chosen, &chosen) == 0;
#else
        static_cast<void>(threads);
#endif
    }
    ~pinned() {
#if defined(__linux__)
        if (held_) sched_setaffinity(0, sizeof before_, &before_);
#endif
    }
    pinned(pinned const&) = delete;
    pinned& operator=(pinned const&) = delete;

    bool held() const { return held_; }

private:
#if defined(__linux__)
    static bool leads_its_core(int cpu) {
        std::string const path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list";
        int first = cpu;
        if (std::FILE* const file = std::fopen(path.c_str(), "r")) {
            if (std::fscanf(file, "%d", &first) != 1) first = cpu;
            std::fclose(file);
        }
        return first == cpu;
    }
    cpu_set_t before_{};
#endif
    bool held_ = false;
};

}  // namespace plateau
