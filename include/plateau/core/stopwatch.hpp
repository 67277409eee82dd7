#pragma once
/// Seconds since an object was made.

#include <chrono>

namespace plateau {

/// Runs from its making on.
class stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace plateau
