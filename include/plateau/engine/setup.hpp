#pragma once
/// The write site and read site of a sweep, and the way that its rows travel.

#include <functional>
#include <string>

#include <plateau/engine/prompt_pair.hpp>

namespace plateau::engine {

/// Where paths are written and where their effect is read.
struct setup {
    std::string write = "blocks.0.hook_resid_post";  ///< where x(α) replaces the activation
    std::string read = "ln_final.hook_out";          ///< where the change is measured, at the last position
    write_positions positions = {};                  ///< where x(α) is written, where a pair does not say so itself
    std::function<void(index)> progress = {};        ///< told of points just finished, concurrently
    bool endpoints_see_hooks = false;  ///< A and B are of runs with the hooks that rows have too, not of clean ones
};

/// How rows travel. No result depends on it.
struct travel {
    index block_rows = 0;                 ///< rows that travel together; 0: as many as suit the backend
    index prefix_bytes = index{1} << 30;  ///< memory for prefix keys and values at a time
    index max_inline_prefix_rows = 48;    ///< prefixes of no more positions in all run in the blocks of their rows
};

}  // namespace plateau::engine
