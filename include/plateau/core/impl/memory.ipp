#pragma once
/// Bodies of core/memory.hpp.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/memory.hpp>

namespace plateau {

namespace detail {

PLATEAU_INLINE index machine_memory() {
    return static_cast<index>(::sysconf(_SC_PHYS_PAGES)) * static_cast<index>(::sysconf(_SC_PAGESIZE));
}

PLATEAU_INLINE std::string text_of_file(std::string const& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The limit in one file of a control group; `least` where there is none, as "max" says, or one beyond any memory.
PLATEAU_INLINE index lesser_limit(std::string const& path, index least) {
    std::string const text = text_of_file(path);
    if (text.empty() || text[0] < '0' || text[0] > '9') return least;
    index const limit = std::strtoll(text.c_str(), nullptr, 10);
    return limit >= index{1} << 60 || (least >= 0 && least < limit) ? least : limit;
}

}  // namespace detail

PLATEAU_INLINE void require_memory(index count, index bytes, std::string const& what, std::string const& way_out) {
    index const memory = detail::machine_memory();
    if (count <= memory / bytes) return;
    throw memory_error(what, " need more memory than this machine's ", memory >> 20, " MiB: ", way_out);
}

PLATEAU_INLINE index memory_of_text(std::string const& text, std::string const& option) {
    char* end = nullptr;
    bool const number = !text.empty() && text[0] >= '0' && text[0] <= '9';
    index bytes = number ? std::strtoll(text.c_str(), &end, 10) : 0;
    std::string const unit = number ? end : "";
    index const factor = unit.empty() ? 1 : unit == "M" ? index{1} << 20 : unit == "G" ? index{1} << 30 : 0;
    if (bytes < 1 || factor == 0 || bytes >= std::numeric_limits<index>::max() / factor) {
        throw usage_error(option, " ", text, " is no amount of memory: give bytes, or a number with M (2^20) or G ",
                          "(2^30) behind it, such as 6G");
    }
    return bytes * factor;
}

PLATEAU_INLINE std::string memory_text(index bytes) {
    index const tenths = bytes / (index{1} << 30) * 10 + bytes % (index{1} << 30) * 10 / (index{1} << 30);
    if (tenths < 10) return concat({bytes >> 20, " MiB"});
    return concat({tenths / 10, ".", tenths % 10, " GiB"});
}

PLATEAU_INLINE index control_group_limit(std::string const& groups, std::string const& root) {
    index least = -1;
    for (std::size_t from = 0; from < groups.size();) {
        std::size_t const end = std::min(groups.find('\n', from), groups.size());
        std::string const line = groups.substr(from, end - from);  // number:controllers:path
        from = end + 1;
        std::size_t const first = line.find(':'), second = line.find(':', first + 1);
        if (second >= line.size()) continue;
        std::string const controllers = concat({",", line.substr(first + 1, second - first - 1), ","});
        bool const unified = controllers == ",,";
        if (!unified && controllers.find(",memory,") == std::string::npos) continue;
        std::string const base = unified ? root : root + "/memory";
        char const* const file = unified ? "/memory.max" : "/memory.limit_in_bytes";
        // what a container is told may be a path that only the machine outside of it has: what is there of it counts
        std::string path = line.substr(second + 1);
        while (!path.empty()) {
            least = detail::lesser_limit(concat({base, path == "/" ? "" : path, file}), least);
            path.resize(path.size() > 1 ? std::max<std::size_t>(path.rfind('/'), 1) : 0);
        }
    }
    return least;
}

PLATEAU_INLINE index allowed_memory() {
    index const machine = detail::machine_memory();
    index const limit = control_group_limit(detail::text_of_file("/proc/self/cgroup"));
    return limit < 0 ? machine : std::min(limit, machine);
}

PLATEAU_INLINE index resident_memory() {
    std::string const pages = detail::text_of_file("/proc/self/statm");  // size resident shared …
    std::size_t const second = pages.find(' ');
    if (second == std::string::npos) return 0;
    return std::strtoll(pages.c_str() + second, nullptr, 10) * static_cast<index>(::sysconf(_SC_PAGESIZE));
}

}  // namespace plateau
