#pragma once
/// The vector instructions that the CPU backend computes with, found at run time.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::backend {

/// The paths of the CPU backend, each a superset of the one before.
enum class instruction_set : std::uint8_t {
    portable,     ///< what the compiler was told, through Eigen
    avx2,         ///< AVX2 and FMA
    avx512,       ///< AVX-512 F, BW, DQ, VL
    avx512_bf16,  ///< and its dot products of bfloat16
};

inline constexpr std::array<std::string_view, 4> instruction_set_names{"portable", "avx2", "avx512", "avx512_bf16"};

constexpr std::string_view name_of(instruction_set path) {
    return instruction_set_names[static_cast<std::size_t>(path)];
}

/// The widest path that this machine's processor and system can run.
instruction_set widest_instruction_set();

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
#include <plateau/backend/cpu/impl/instruction_set.ipp>
#endif
