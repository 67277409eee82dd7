#pragma once
/// What this process takes of the machine's memory (Linux).

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <malloc.h>

namespace plateau::testing {

/// False where a sanitizer keeps memory of its own: then the figures below say nothing.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool memory_is_measurable = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool memory_is_measurable = false;
#else
inline constexpr bool memory_is_measurable = true;
#endif
#else
inline constexpr bool memory_is_measurable = true;
#endif

/// Bytes of a line of /proc/self/status: "RssAnon:", "RssFile:".
inline double status_bytes(std::string_view line) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == line && status >> kilobytes) return kilobytes * 1024;
    }
    return 0;
}

/// The most anonymous memory while `action` runs, looked at several times in a millisecond and once when its result is
/// there, beyond what was there before.
template <class Action>
double peak_anonymous_bytes(Action&& action) {
    ::malloc_trim(0);
    double const before = status_bytes("RssAnon:");
    double most = before;
    std::atomic<bool> done{false};
    std::thread watcher{[&] {
        while (!done) {
            most = std::max(most, status_bytes("RssAnon:"));
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    }};
    auto const stop = [&] {
        done = true;
        watcher.join();
    };
    try {
        auto const kept = action();
        stop();
        return std::max(most, status_bytes("RssAnon:")) - before;
    } catch (...) {
        if (watcher.joinable()) stop();
        throw;
    }
}

}  // namespace plateau::testing
