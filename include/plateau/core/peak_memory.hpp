#pragma once
/// The most memory that this process has held.

#include <fstream>
#include <string>

#include <sys/resource.h>

#include <plateau/core/types.hpp>

namespace plateau {

/// Bytes that were resident at once, at most, so far. What getrusage gives counts what the process was before exec too,
/// a large interpreter that started this program: it is asked only where /proc does not tell.
inline index peak_memory() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6)) * 1024;
    }
    struct ::rusage used {};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss * 1024;
}

}  // namespace plateau
