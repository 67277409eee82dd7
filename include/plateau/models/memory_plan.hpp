#pragma once
/// Plan of a model's memory: all weights at once, or layers that take turns.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/models/begin_turns.hpp>
#include <plateau/models/layer_turns.hpp>

namespace plateau::models {

struct turn_taking;

/// Processes of one machine that have the same weights once between them.
class weight_sharing {
public:
    virtual ~weight_sharing() = default;
    /// Fills the memory of all weights of a model: calls fill(), or has it otherwise what fill() would leave there.
    virtual void share(std::vector<std::span<std::byte>> const& memory, std::function<void()> const& fill) const = 0;
};

/// Memory that somebody allows, @see within. What is done about it is compiled by those alone who name it.
struct memory_limit {
    index bytes = 0;     ///< that this process may have
    bool asked = false;  ///< somebody asked for it, it is not only what there is: then it is an error not to hold it
    turn_limits turns = {};                   ///< limits of one's own, if their capacity is not 0: nothing is planned
    turn_taking const* how = nullptr;         ///< null: all weights are in memory, whatever it takes
    weight_sharing const* sharing = nullptr;  ///< of weights that are all in memory; null: they are this process' own
};

/// What a model takes.
struct memory_needs {
    std::vector<index> units = {};  ///< bytes by unit, the last ones' the embeddings
    index block_rows = 0;           ///< rows of a block
    index row_bytes = 0;            ///< work memory of each
    int threads = 1;
    index held = -1;  ///< bytes that the process has without any of these; −1: what it has now
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

/// Functions that make layers take turns.
struct turn_taking {
    memory_plan (*plan)(memory_limit const&, memory_needs const&, bool) = plan_memory;
    std::shared_ptr<layer_turns> (*begin)(std::unique_ptr<weight_units>, std::vector<index>,
                                          turn_limits const&) = begin_turns;
};

/// A limit to the memory of the process: layers of a model that needs more take turns.
///     load<float>(path, {.memory = within(index{6} << 30)})
/// @param asked  false of what there is, such as allowed_memory()
inline memory_limit within(index bytes, bool asked = true) {
    static constexpr turn_taking how{};
    return {bytes, asked, {}, &how};
}
/// Limits of one's own.
inline memory_limit within(turn_limits const& turns) {
    auto limit = within(index{1});
    limit.turns = turns;
    return limit;
}

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/memory_plan.ipp>
#endif
