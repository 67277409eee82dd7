#pragma once
/// Bodies of backend/cpu/instruction_set.hpp.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <plateau/backend/cpu/instruction_set.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::backend {

PLATEAU_INLINE instruction_set widest_instruction_set() {
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

PLATEAU_INLINE instruction_set best_instruction_set() {
    auto const widest = widest_instruction_set();
#if defined(__x86_64__)
    if (widest == instruction_set::avx512_bf16 && __builtin_cpu_is("intel")) return instruction_set::avx512;
#endif
    return widest;
}

PLATEAU_INLINE instruction_set instruction_set_named(std::string_view name) {
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

PLATEAU_INLINE instruction_set chosen_instruction_set() {
    char const* const name = std::getenv("PLATEAU_INSTRUCTION_SET");
    return name == nullptr || *name == '\0' ? best_instruction_set() : instruction_set_named(name);
}

}  // namespace plateau::backend
