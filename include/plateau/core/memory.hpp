#pragma once
/// Memory of this machine, and whether a request can fit into it.

#include <string>

#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// @throws memory_error if `count` things of `bytes` each cannot fit into this machine's memory
inline void require_memory(index count, index bytes, std::string const& what, std::string const& way_out) {
    index const memory = static_cast<index>(::sysconf(_SC_PHYS_PAGES)) * static_cast<index>(::sysconf(_SC_PAGESIZE));
    if (count <= memory / bytes) return;
    throw memory_error(what, " need more memory than this machine's ", memory >> 20, " MiB: ", way_out);
}

}  // namespace plateau
