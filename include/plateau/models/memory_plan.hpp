#pragma once
/// Plan of a model's memory: all weights at once, or layers that take turns.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/models/layer_turns.hpp>

namespace plateau::models {

/// Fills the memory of all weights of a model: calls fill(), or has it otherwise what fill() would leave there, as from
/// another process that has the same weights.
using weight_sharing = std::function<void(std::vector<std::span<std::byte>> const& memory, std::function<void()> fill)>;

/// Memory that somebody allows.
struct memory_limit {
    index bytes = 0;     ///< that this process may have; 0: as many as it takes
    bool asked = false;  ///< somebody asked for it, it is not only what there is: then it is an error not to hold it
    turn_limits turns = {};       ///< limits of one's own, if their capacity is not 0: then nothing is planned
    weight_sharing sharing = {};  ///< of weights that are all in memory; none: they are this process' own
};

/// What a model takes.
struct memory_needs {
    std::vector<index> units = {};  ///< bytes by unit, the last ones' the embeddings
    index block_rows = 0;           ///< rows of a block
    index row_bytes = 0;            ///< work memory of each
    int threads = 1;
    index held = 0;  ///< bytes that the process has without any of these
};

struct memory_plan {
    bool in_turns = false;  ///< units take turns
    turn_limits limits = {};
    std::string text = {};  ///< lines that say so; empty where all weights are in memory
};

/// All weights in memory, beside a block of rows for each thread, if there is room. Else some units, as many blocks as
/// half of what two units leave allows, and for the rest of it units that stay from wave to wave. Keys and values of
/// prefixes get a sixteenth, everything else 16 MiB and a 64th.
/// @param can_take_turns  false of weights that are in memory of their own, a device's: they are not counted, but where
/// somebody asked for a limit that they exceed
/// @throws memory_error naming the least that would do; usage_error where turns are needed and cannot be taken
memory_plan plan_memory(memory_limit const& limit, memory_needs const& needs, bool can_take_turns);

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/memory_plan.ipp>
#endif
