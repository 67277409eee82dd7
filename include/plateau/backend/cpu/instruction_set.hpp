#pragma once
/// Names of the vector instructions that the CPU backend computes with.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plateau::backend {

/// The paths of the CPU backend, each a superset of the one before, and one that every processor runs.
enum class instruction_set : std::uint8_t {
    portable,     ///< what the compiler was told, through Eigen
    avx2,         ///< AVX2 and FMA
    avx512,       ///< AVX-512 F, BW, DQ, VL
    avx512_bf16,  ///< and its dot products of bfloat16
    amx,          ///< AVX-512, and products of bfloat16 over tiles (AMX-TILE, AMX-BF16)
    amx_emulated  ///< portable, with products of bfloat16 that have the bits of those over tiles: slow, for tests
};

inline constexpr std::array<std::string_view, 6> instruction_set_names{"portable",    "avx2", "avx512",
                                                                       "avx512_bf16", "amx",  "amx_emulated"};

constexpr std::string_view name_of(instruction_set path) {
    return instruction_set_names[static_cast<std::size_t>(path)];
}

}  // namespace plateau::backend
