#include <plateau/core/progress.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using namespace std::chrono_literals;
using plateau::index;

/// What `output` holds now, without waiting.
std::string drain(int output) {
    std::string text;
    char part[4096];
    for (pollfd ready{output, POLLIN, 0}; ::poll(&ready, 1, 50) == 1 && (ready.revents & POLLIN) != 0;) {
        auto const count = ::read(output, part, sizeof part);
        if (count <= 0) break;
        text.append(part, static_cast<std::size_t>(count));
    }
    return text;
}

/// Both ends of a terminal without a screen.
struct pseudo_terminal {
    int control = ::posix_openpt(O_RDWR | O_NOCTTY);
    int terminal = -1;

    pseudo_terminal() {
        ::setenv("TERM", "xterm", 1);
        if (control < 0 || ::grantpt(control) != 0 || ::unlockpt(control) != 0) return;
        terminal = ::open(::ptsname(control), O_RDWR | O_NOCTTY);
    }
    ~pseudo_terminal() {
        if (terminal >= 0) ::close(terminal);
        if (control >= 0) ::close(control);
    }
};

TEST_CASE("durations are short and readable", "[core][progress]") {
    CHECK(format_duration(0) == "0.0 s");
    CHECK(format_duration(9.94) == "9.9 s");
    CHECK(format_duration(9.96) == "10 s");
    CHECK(format_duration(59.6) == "1 min 00 s");
    CHECK(format_duration(187) == "3 min 07 s");
    CHECK(format_duration(7500) == "2 h 05 min");
    CHECK(format_duration(1.0 / 0.0) == "?");
    CHECK(format_duration(-1) == "?");
}

TEST_CASE("a pipe receives nothing", "[core][progress]") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
        progress bar{"points", 10, ends[1]};
        bar.advance(5);
        std::this_thread::sleep_for(550ms);
        bar.advance(5);
        CHECK(bar.done() == 10);
    }
    ::close(ends[1]);
    CHECK(drain(ends[0]).empty());
    ::close(ends[0]);
}

TEST_CASE("advances of many threads add up", "[core][progress]") {
    progress bar{"points", 40'000, -1};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 4; ++worker) {
        workers.emplace_back([&] {
            for (int i = 0; i < 10'000; ++i) bar.advance();
        });
    }
    for (auto& worker : workers) worker.join();
    CHECK(bar.done() == 40'000);
}

TEST_CASE("a terminal sees percent, rate and the time left", "[core][progress]") {
    pseudo_terminal screen;
    if (screen.terminal < 0) PLATEAU_SKIP("no pseudo terminal can be had here");

    SECTION("complete work leaves one line") {
        {
            progress bar{"points", 1000, screen.terminal};
            bar.advance(100);
            CHECK(drain(screen.control).empty());
            std::this_thread::sleep_for(520ms);
            for (int i = 0; i < 400; ++i) bar.advance();
            auto const line = drain(screen.control);
            CHECK_THAT(line, plateau::testing::contains("points  10 %  101/1000"));
            CHECK_THAT(line, plateau::testing::contains("/s"));
            CHECK_THAT(line, plateau::testing::contains("s left"));
            CHECK(std::count(line.begin(), line.end(), '\r') == 1);  // at most five a second
            bar.advance(500);
        }
        auto const last = drain(screen.control);
        CHECK_THAT(last, plateau::testing::contains("points  1000 in 0."));
        CHECK(last.back() == '\n');
    }
    SECTION("an exception leaves an empty line") {
        try {
            progress bar{"points", 2, screen.terminal};
            std::this_thread::sleep_for(510ms);
            bar.advance(2);
            throw std::runtime_error("stop");
        } catch (std::runtime_error const&) {}
        auto const text = drain(screen.control);
        CHECK_THAT(text, plateau::testing::contains("100 %"));
        CHECK(text.substr(text.size() - 4) == "\r\x1b[K");
        CHECK(text.find('\n') == std::string::npos);
    }
    SECTION("short work shows nothing") {
        { progress{"points", 1, screen.terminal}.advance(); }
        CHECK(drain(screen.control).empty());
    }
    SECTION("the line is cut to the width of the terminal") {
        winsize const narrow{10, 12, 0, 0};
        REQUIRE(::ioctl(screen.control, TIOCSWINSZ, &narrow) == 0);
        progress bar{"points of a long label", 0, screen.terminal};
        std::this_thread::sleep_for(510ms);
        bar.advance();
        CHECK(drain(screen.control) == "\r\x1b[Kpoints of a");
    }
}

}  // namespace
