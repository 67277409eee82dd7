#pragma once
/// Bodies of core/progress.hpp.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

#include <plateau/core/macros.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

PLATEAU_INLINE std::string format_duration(double seconds) {
    char text[64];
    if (!(seconds >= 0 && seconds < 1e9)) return "?";
    auto const whole = static_cast<long>(std::llround(seconds));
    if (seconds < 9.95) std::snprintf(text, sizeof text, "%.1f s", seconds);
    else if (whole < 60) std::snprintf(text, sizeof text, "%ld s", whole);
    else if (whole < 3600) std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
    else std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    return text;
}

PLATEAU_INLINE progress::~progress() {
    if (!shown_) return;
    bool const complete = done() >= total_ && std::uncaught_exceptions() == exceptions_;
    try {
        put(complete ? final_line() + '\n' : "");
    } catch (...) {  // no memory for the text: the line stays as it is
    }
}

PLATEAU_INLINE_HOT void progress::advance(index units) {
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

PLATEAU_INLINE bool progress::is_terminal(int descriptor) {
    if (::isatty(descriptor) != 1) return false;
    char const* kind = std::getenv("TERM");
    return kind == nullptr || std::string_view{kind} != "dumb";
}

PLATEAU_INLINE std::string progress::rate() const {
    double const per_second = static_cast<double>(done()) / std::max(seconds(), 1e-9);
    char text[64];
    std::snprintf(text, sizeof text, per_second < 10 ? "%.2f/s" : "%.0f/s", per_second);
    return text;
}

PLATEAU_INLINE std::string progress::line() const {
    index const done = this->done();
    if (total_ <= 0) return label_ + "  " + std::to_string(done) + "  " + rate();
    double const part = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
    char percent[16];
    std::snprintf(percent, sizeof percent, "%4d %%", static_cast<int>(100 * part));
    return label_ + percent + "  " + std::to_string(done) + "/" + std::to_string(total_) + "   " + rate() + "   " +
           (part > 0 ? format_duration(seconds() * (1 - part) / part) + " left" : "");
}

PLATEAU_INLINE std::string progress::final_line() const {
    return label_ + "  " + std::to_string(done()) + " in " + format_duration(seconds()) + "   " + rate();
}

PLATEAU_INLINE void progress::put(std::string text) const {
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

}  // namespace plateau
