#pragma once
/// The vector instructions that this machine has, found at run time, and the ones to compute with.

#include <cstdint>
#include <string_view>
#include <vector>

#include <plateau/backend/cpu/instruction_set.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::backend {

/// Whether products over tiles can be had.
enum class tiles : std::uint8_t {
    absent,   ///< the processor has none
    refused,  ///< it has, but the system does not save them or does not let this process have them, or they compute
              ///< something else than their emulation
    here,
};

/// Asks the system for them, once in a process.
tiles find_tiles();

/// The widest path that this machine's processor and system can run.
instruction_set widest_instruction_set();

/// All paths that this machine can run.
std::vector<instruction_set> possible_instruction_sets();

/// The path that is taken unless somebody chooses: the widest, but for the dot products of bfloat16 on Intel, where one
/// of them takes as long as four multiply-adds and plain AVX-512 is faster (measured; on AMD it takes as long as one).
/// The processor alone decides, never a measurement: the same machine always gives the same bits.
instruction_set best_instruction_set();

/// The path of that name. @throws usage_error if there is none, or this machine cannot run it
instruction_set instruction_set_named(std::string_view name);

/// What the environment variable PLATEAU_INSTRUCTION_SET names, or else the best.
/// @throws usage_error as instruction_set_named
instruction_set chosen_instruction_set();

}  // namespace plateau::backend

#if !PLATEAU_COMPILED
#include <plateau/backend/cpu/impl/choose_instruction_set.ipp>
#endif
