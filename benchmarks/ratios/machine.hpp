#pragma once
/// What the figures were measured on, and what else ran there.

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

#if defined(__linux__)
#include <unistd.h>
#endif

namespace plateau::benchmarks {

/// The processor by the name that it gives itself.
inline std::string processor_name() {
    std::ifstream info{"/proc/cpuinfo"};
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown processor";
}

/// How many processors other programs, or other guests of a virtual machine, have used since it was made.
class other_programs {
public:
    other_programs() : busy_{busy_seconds()}, own_{own_seconds()}, start_{std::chrono::steady_clock::now()} {}

    /// Negative where the system does not tell.
    double processors() const {
        double const wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        return busy_ < 0 ? -1 : std::max(0.0, busy_seconds() - busy_ - (own_seconds() - own_)) / wall;
    }

private:
    static double own_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

    /// Of all processors: user, nice, system, interrupts and what the host took away.
    static double busy_seconds() {
#if defined(__linux__)
        std::ifstream file{"/proc/stat"};
        std::string name;
        double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0;
        if (!(file >> name >> user >> nice >> system >> idle >> waiting >> hard >> soft >> stolen)) return -1;
        return (user + nice + system + hard + soft + stolen) / static_cast<double>(sysconf(_SC_CLK_TCK));
#else
        return -1;
#endif
    }

    double busy_, own_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace plateau::benchmarks
