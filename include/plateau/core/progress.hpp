#pragma once
/// Progress of long work, shown on a terminal only.

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include <unistd.h>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// "0.4 s", "42 s", "3 min 07 s", "2 h 05 min"
std::string format_duration(double seconds);

/// One line on a terminal that follows long work:
///     points   42 %  4200/10000   531/s   11 s left
/// The line is redrawn at most five times a second, by the thread that advances. If the descriptor is no
/// terminal (a pipe, a file, TERM=dumb) nothing is ever written. `advance` may be called by many threads
/// at once; it costs an atomic addition, and on a terminal a look at the clock.
/// The destructor ends the line: complete work leaves its total time, anything else an empty line, so that
/// an error message starts in the first column. Work of less than half a second shows nothing.
class progress {
public:
    /// @param label  what is counted, in the plural     @param total  units of work; 0 if unknown
    explicit progress(std::string label, index total, int descriptor = STDERR_FILENO)
        : label_{std::move(label)}, total_{total}, descriptor_{descriptor}, visible_{is_terminal(descriptor)},
          exceptions_{std::uncaught_exceptions()} {}

    ~progress();
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;

    /// Counts `units` more as done.
    void advance(index units = 1);

    index done() const { return done_.load(std::memory_order_relaxed); }

private:
    using clock = std::chrono::steady_clock;

    static bool is_terminal(int descriptor);

    clock::duration elapsed() const { return clock::now() - start_; }
    double seconds() const { return std::chrono::duration<double>(elapsed()).count(); }

    std::string rate() const;
    std::string line() const;
    std::string final_line() const;

    /// Replaces the line. What does not fit is cut: a wrapped line could not be redrawn.
    void put(std::string text) const;

    std::string label_;
    index total_;
    int descriptor_;
    bool visible_;
    int exceptions_;
    clock::time_point start_ = clock::now();
    std::atomic<index> done_{0};
    std::atomic<clock::rep> next_{clock::duration{std::chrono::milliseconds{500}}.count()};
    std::mutex guard_;
    bool shown_ = false;  // under guard_; the destructor reads it after the last advance
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/progress.ipp>
#endif
