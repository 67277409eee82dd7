#pragma once
/// The vector instructions that the CPU backend computes with, found at run time.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>

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
inline instruction_set widest_instruction_set() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return instruction_set::portable;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
        return instruction_set::avx2;
    }
    return __builtin_cpu_supports("avx512bf16") ? instruction_set::avx512_bf16 : instruction_set::avx512;
#else
    return instruction_set::portable;
#endif
}

/// The path that is taken unless somebody chooses: the widest, but for the dot products of bfloat16 on Intel, where one
/// of them takes as long as four multiply-adds and plain AVX-512 is faster (measured; on AMD it takes as long as one).
/// The processor alone decides, never a measurement: the same machine always gives the same bits.
inline instruction_set best_instruction_set() {
    auto const widest = widest_instruction_set();
#if defined(__x86_64__)
    if (widest == instruction_set::avx512_bf16 && __builtin_cpu_is("intel")) return instruction_set::avx512;
#endif
    return widest;
}

/// The path of that name. @throws usage_error if there is none, or this machine cannot run it
inline instruction_set instruction_set_named(std::string_view name) {
    auto const widest = widest_instruction_set();
    for (std::size_t i = 0; i < instruction_set_names.size(); ++i) {
        if (name != instruction_set_names[i]) continue;
        auto const path = static_cast<instruction_set>(i);
        if (path > widest) {
            throw usage_error("this processor has no ", name, "; the widest that it can run is ", name_of(widest));
        }
        return path;
    }
    throw usage_error("there is no instruction set ", name, "; there are portable, avx2, avx512 and avx512_bf16");
}

/// What the environment variable PLATEAU_INSTRUCTION_SET names, or else the best.
/// @throws usage_error as instruction_set_named
inline instruction_set chosen_instruction_set() {
    char const* const name = std::getenv("PLATEAU_INSTRUCTION_SET");
    return name == nullptr || *name == '\0' ? best_instruction_set() : instruction_set_named(name);
}

}  // namespace plateau::backend
