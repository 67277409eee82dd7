#pragma once
/// Bodies of backend/cpu/choose_instruction_set.hpp.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <plateau/backend/cpu/choose_instruction_set.hpp>
#include <plateau/backend/cpu/kernels.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::backend {

namespace detail {

/// Whether tiles have the bits of their emulation: a product with all that it can have, of two parts, in masked tiles.
PLATEAU_INLINE bool tiles_as_emulated(kernel_table<float> const& kernels) {
    constexpr index rows = 17, depth = 39, pairs = 20;
    std::array<float, rows * depth> x;
    for (index i = 0; i < rows * depth; ++i)
        x[static_cast<std::size_t>(i)] = static_cast<float>(i * 7919 % 1009 - 504) / 503;
    std::array<std::uint32_t, 2 * rows * pairs> parts;
    std::array<std::uint32_t, 2 * pairs * panel_columns> panel;
    for (std::size_t i = 0; i < panel.size(); ++i)  // between 0.5 and 2, of both signs
        panel[i] = 0x3F003F00u + static_cast<std::uint32_t>(i * 2654435761u & 0x80FF80FFu);
    std::array<float, rows * panel_columns> found[2];
    kernel_table<float> const* const tables[] = {&kernels, &emulated_tiles::table};
    for (int i = 0; i < 2; ++i) {
        for (index r = 0; r < rows; ++r)
            tables[i]->split_row(x.data() + r * depth, depth, 2, parts.data() + r * pairs, rows * pairs);
        tables[i]->multiply_parts({parts.data(), pairs, rows * pairs, 2},
                                  {panel.data(), panel_columns, pairs * panel_columns, 2}, rows, depth, 3,
                                  {found[i].data(), panel_columns});
    }
    return found[0] == found[1];
}

PLATEAU_INLINE tiles ask_for_tiles() {
#if defined(__x86_64__) && defined(__linux__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return tiles::absent;
    constexpr unsigned bf16 = 1u << 22, tile = 1u << 24;
    if ((d & bf16) == 0 || (d & tile) == 0) return tiles::absent;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
        return tiles::refused;  // what else the path computes with
    }
    constexpr unsigned saves_state = 1u << 27, of_tiles = 3u << 17;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & saves_state) == 0) return tiles::refused;
    unsigned saved = 0, high = 0;
    asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if ((saved & of_tiles) != of_tiles) return tiles::refused;
    constexpr int ask_for_state = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    if (::syscall(SYS_arch_prctl, ask_for_state, tile_data) != 0) return tiles::refused;
    return tiles_as_emulated(avx512::amx::table) ? tiles::here : tiles::refused;
#else
    return tiles::absent;
#endif
}

}  // namespace detail

PLATEAU_INLINE tiles find_tiles() {
    static tiles const found = detail::ask_for_tiles();
    return found;
}

PLATEAU_INLINE instruction_set widest_instruction_set() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return instruction_set::portable;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
        return instruction_set::avx2;
    }
    if (find_tiles() == tiles::here) return instruction_set::amx;
    return __builtin_cpu_supports("avx512bf16") ? instruction_set::avx512_bf16 : instruction_set::avx512;
#else
    return instruction_set::portable;
#endif
}

PLATEAU_INLINE std::vector<instruction_set> possible_instruction_sets() {
    auto const widest = widest_instruction_set();
    std::vector<instruction_set> all;
    for (auto const path : {instruction_set::portable, instruction_set::avx2, instruction_set::avx512,
                            instruction_set::avx512_bf16, instruction_set::amx}) {
        if (path <= widest) all.push_back(path);
    }
    all.push_back(instruction_set::amx_emulated);
    return all;
}

PLATEAU_INLINE instruction_set best_instruction_set() {
    auto const widest = widest_instruction_set();
#if defined(__x86_64__)
    if (widest == instruction_set::avx512_bf16 && __builtin_cpu_is("intel")) return instruction_set::avx512;
#endif
    return widest;
}

PLATEAU_INLINE instruction_set instruction_set_named(std::string_view name) {
    std::string all;
    for (std::size_t i = 0; i < instruction_set_names.size(); ++i) {
        auto const path = static_cast<instruction_set>(i);
        if (name != name_of(path)) {
            all += i == 0 ? "" : i + 1 < instruction_set_names.size() ? ", " : " and ";
            all += name_of(path);
            continue;
        }
        auto const widest = widest_instruction_set();
        if (path <= widest || path == instruction_set::amx_emulated) return path;
        bool const refused = path == instruction_set::amx && find_tiles() == tiles::refused;
        throw usage_error(refused ? "the system refuses this process the tiles of " : "this processor has no ", name,
                          "; the widest that it can run is ", name_of(widest));
    }
    throw usage_error("there is no instruction set ", name, "; there are ", all);
}

PLATEAU_INLINE instruction_set chosen_instruction_set() {
    char const* const name = std::getenv("PLATEAU_INSTRUCTION_SET");
    return name == nullptr || *name == '\0' ? best_instruction_set() : instruction_set_named(name);
}

}  // namespace plateau::backend
