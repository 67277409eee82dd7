#pragma once
/// Binds the threads of a process to cores of their own.

#if defined(__linux__)
#include <sched.h>
#endif

#include <plateau/core/macros.hpp>

namespace plateau {

/// Affinity of this thread, and of those that it starts, to `threads` processors of as many cores, for its lifetime:
/// two threads without one often share a core. Cores with two hardware threads are filled up last.
/// Elsewhere than on Linux, and where there are too few processors, it does nothing, and held() is false.
class core_affinity {
public:
    explicit core_affinity(int threads);
    ~core_affinity();
    core_affinity(core_affinity const&) = delete;
    core_affinity& operator=(core_affinity const&) = delete;

    /// True if the affinity was set.
    bool held() const { return held_; }

private:
#if defined(__linux__)
    cpu_set_t before_{};
#endif
    bool held_ = false;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/core_affinity.ipp>
#endif
