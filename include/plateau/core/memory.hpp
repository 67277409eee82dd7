#pragma once
/// Memory of this machine, how much of it this process may have, and whether a request can fit into it.

#include <string>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// @throws memory_error if `count` things of `bytes` each cannot fit into this machine's memory
void require_memory(index count, index bytes, std::string const& what, std::string const& way_out);

/// Bytes that a text names: 6442450944, 6144M (M = 2^20) or 6G (G = 2^30). @param option  for messages
/// @throws usage_error on anything else, and on 0
index memory_of_text(std::string const& text, std::string const& option);

/// Bytes as a message tells them: "812 MiB", "5.2 GiB".
std::string memory_text(index bytes);

/// Bytes that this process may have: the machine's, or fewer where a control group that it is in allows fewer.
index allowed_memory();

/// The least that a process's control groups and all above them allow, of version 1 and 2; −1 without a limit.
/// @param groups  what /proc/self/cgroup says      @param root  where they are mounted
index control_group_limit(std::string const& groups, std::string const& root = "/sys/fs/cgroup");

/// Bytes of this process that are resident now.
index resident_memory();

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/memory.ipp>
#endif
