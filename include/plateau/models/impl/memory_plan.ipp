#pragma once
/// Bodies of models/memory_plan.hpp.

#include <algorithm>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/memory.hpp>
#include <plateau/models/memory_plan.hpp>

namespace plateau::models {

PLATEAU_INLINE memory_plan plan_memory(memory_limit const& limit, memory_needs const& needs, bool can_take_turns) {
    constexpr index mebi = index{1} << 20, most_blocks = 64;
    index all = 0, largest = 0, largest_layer = 0;
    for (std::size_t i = 0; i < needs.units.size(); ++i) {
        all += needs.units[i];
        largest = std::max(largest, needs.units[i]);
        if (i == 0) largest_layer = needs.units[i];  // layers are alike
    }
    index const fixed = (needs.held < 0 ? resident_memory() : needs.held) + 16 * mebi,
                block = needs.block_rows * needs.row_bytes;
    index const least_units = std::max(largest, 2 * largest_layer);
    memory_plan plan;
    if (can_take_turns && limit.turns.capacity > 0) {
        plan.in_turns = true;
        plan.limits = limit.turns;
        plan.limits.threads = needs.threads;
        return plan;
    }
    plan.limits.threads = needs.threads;
    plan.limits.block_bytes = block;
    plan.limits.prefix_bytes = std::min(index{1} << 30, limit.bytes / 16);
    index const room = limit.bytes - limit.bytes / 64 - plan.limits.prefix_bytes - fixed;
    if (room >= all + needs.threads * block || (!can_take_turns && !limit.asked)) return plan;
    if (!can_take_turns) {
        throw usage_error(
            "the model's weights take ", memory_text(all), ", more than the ", memory_text(limit.bytes),
            " of --memory leave them: layers take turns in memory on the CPU alone, so leave --memory out, "
            "or use --backend cpu");
    }
    if (room < least_units + block) {
        index const least = (fixed + least_units + block) / 59 * 64 + 2 * mebi;  // 1 − 1/64 − 1/16 = 59/64
        throw memory_error("the model does not fit into ", memory_text(limit.bytes), ": its weights take ",
                           memory_text(all), ", and two layers (or an embedding) of them with one block of rows need ",
                           memory_text(least), " beside what the process holds already: give at least --memory ",
                           (least + mebi - 1) / mebi, "M, or a narrower --dtype");
    }
    plan.in_turns = true;
    index const left = room - least_units;
    index const blocks = std::max(left / 2 / block, std::min<index>(needs.threads, left / block));
    plan.limits.blocks = static_cast<int>(std::clamp<index>(blocks, 1, most_blocks));
    plan.limits.capacity = room - plan.limits.blocks * block;
    plan.limits.wave_bytes = std::min(all, all + 2 * largest_layer - plan.limits.capacity);
    plan.text = concat({"memory: the weights take ", memory_text(all), " and ", memory_text(limit.bytes),
                        " are allowed, so they pass layer by layer: about ", memory_text(plan.limits.wave_bytes),
                        " are read for each wave of up to ", plan.limits.blocks, " blocks of ", needs.block_rows,
                        " rows. What goes token by token (generate) or step by step (bisection) reads them at every "
                        "step.\n"});
    return plan;
}

}  // namespace plateau::models
