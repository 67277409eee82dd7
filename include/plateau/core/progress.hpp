#pragma once
/// Progress of long work, shown on a terminal only.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include <plateau/core/types.hpp>

namespace plateau {

/// "0.4 s", "42 s", "3 min 07 s", "2 h 05 min"
inline std::string format_duration(double seconds) {
    char text[64];
    if (!(seconds >= 0 && seconds < 1e9)) return "?";
    auto const whole = static_cast<long>(std::llround(seconds));
    if (seconds < 9.95) std::snprintf(text, sizeof text, "%.1f s", seconds);
    else if (whole < 60) std::snprintf(text, sizeof text, "%ld s", whole);
    else if (whole < 3600) std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
    else std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    return text;
}

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

    ~progress() {
        if (!shown_) return;
        bool const complete = done() >= total_ && std::uncaught_exceptions() == exceptions_;
        try {
            put(complete ? final_line() + '\n' : "");
        } catch (...) {  // no memory for the text: the line stays as it is
        }
    }
    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;

    /// Counts `units` more as done.
    void advance(index units = 1) {
        done_.fetch_add(units, std::memory_order_relaxed);
        if (!visible_) return;
        auto const now = elapsed().count();
        if (now < next_.load(std::memory_order_relaxed)) return;
        std::unique_lock const lock{guard_, std::try_to_lock};
        if (!lock || now < next_.load(std::memory_order_relaxed)) return;  // another thread draws
        next_.store(now + (clock::duration{std::chrono::milliseconds{200}}).count(), std::memory_order_relaxed);
        shown_ = true;
        put(line());
    }

    index done() const { return done_.load(std::memory_order_relaxed); }

private:
    using clock = std::chrono::steady_clock;

    static bool is_terminal(int descriptor) {
        if (::isatty(descriptor) != 1) return false;
        char const* kind = std::getenv("TERM");
        return kind == nullptr || std::string_view{kind} != "dumb";
    }

    clock::duration elapsed() const { return clock::now() - start_; }
    double seconds() const { return std::chrono::duration<double>(elapsed()).count(); }

    std::string rate() const {
        double const per_second = static_cast<double>(done()) / std::max(seconds(), 1e-9);
        char text[64];
        std::snprintf(text, sizeof text, per_second < 10 ? "%.2f/s" : "%.0f/s", per_second);
        return text;
    }

    std::string line() const {
        index const done = this->done();
        if (total_ <= 0) return label_ + "  " + std::to_string(done) + "  " + rate();
        double const part = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
        char percent[16];
        std::snprintf(percent, sizeof percent, "%4d %%", static_cast<int>(100 * part));
        return label_ + percent + "  " + std::to_string(done) + "/" + std::to_string(total_) + "   " + rate() + "   " +
               (part > 0 ? format_duration(seconds() * (1 - part) / part) + " left" : "");
    }

    std::string final_line() const {
        return label_ + "  " + std::to_string(done()) + " in " + format_duration(seconds()) + "   " + rate();
    }

    /// Replaces the line. What does not fit is cut: a wrapped line could not be redrawn.
    void put(std::string text) const {
        winsize size{};
        if (::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && text.size() >= size.ws_col &&
            text.back() != '\n') {
            text.resize(size.ws_col - 1u);
        }
        text.insert(0, "\r\x1b[K");
        for (std::size_t at = 0; at < text.size();) {
            auto const written = ::write(descriptor_, text.data() + at, text.size() - at);
            if (written <= 0) return;  // a terminal that went away is no reason to stop the work
            at += static_cast<std::size_t>(written);
        }
    }

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
