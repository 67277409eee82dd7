#pragma once
/// The float kernels of the CPU backend, compiled for every instruction set, and the table from which one is taken.
/// The portable path takes the plain ones.
/// The regions below tell the compiler what it may use inside of them, whatever the flags of the build.

#include <cstdint>
#include <type_traits>

#include <plateau/backend/cpu/instruction_set.hpp>
#include <plateau/backend/cpu/kernels/parts.hpp>
#include <plateau/backend/cpu/kernels/plain.hpp>
#include <plateau/backend/cpu/tile_emulation.hpp>

#define PLATEAU_TABLE(multiply_pairs, round_row_to_pairs)           \
    inline constexpr kernel_table<float> table{multiply,            \
                                               multiply_pairs,      \
                                               round_row_to_pairs,  \
                                               round_row,           \
                                               widen_pairs,         \
                                               rms_scale_row,       \
                                               centre_row,          \
                                               divide_row,          \
                                               affine_row,          \
                                               norm_row,            \
                                               finite_row,          \
                                               scale_row,           \
                                               cap_row,             \
                                               add_rows,            \
                                               activate_rows,       \
                                               rotate_row,          \
                                               softmax_row,         \
                                               largest,             \
                                               exp_row,             \
                                               weighted_difference, \
                                               add_weighted_rows,   \
                                               dot_heads};

#if defined(__clang__)
#define PLATEAU_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PLATEAU_UNROLL _Pragma("GCC unroll 16")
#endif

namespace plateau::backend {

/// The kernels of a table, and products over tiles.
constexpr kernel_table<float> with_tiles(kernel_table<float> kernels, decltype(kernels.multiply_parts) multiply,
                                         decltype(kernels.split_row) split) {
    kernels.multiply_parts = multiply;
    kernels.split_row = split;
    return kernels;
}

namespace emulated_tiles {
#include <plateau/backend/cpu/kernels/tiles.inl>
inline constexpr auto table = with_tiles(plain::table<float>, multiply_parts, split_row);
}  // namespace emulated_tiles

}  // namespace plateau::backend

#if defined(__x86_64__)

namespace plateau::backend::avx2 {
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define PLATEAU_VECTOR_BYTES 32
inline constexpr int tile_vectors = 2;
#include <plateau/backend/cpu/kernels/vector.inl>
// with which the others are written
#include <plateau/backend/cpu/kernels/gemm.inl>
#include <plateau/backend/cpu/kernels/rows.inl>
PLATEAU_TABLE(nullptr, nullptr)
#undef PLATEAU_VECTOR_BYTES
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
}  // namespace plateau::backend::avx2

namespace plateau::backend::avx512 {
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#endif
#define PLATEAU_VECTOR_BYTES 64
inline constexpr int tile_vectors = 4;
#include <plateau/backend/cpu/kernels/vector.inl>
// with which the others are written
#include <plateau/backend/cpu/kernels/gemm.inl>
#include <plateau/backend/cpu/kernels/rows.inl>
PLATEAU_TABLE(nullptr, nullptr)
namespace bf16 {
#include <plateau/backend/cpu/kernels/gemm_bf16.inl>
#include <plateau/core/macros.hpp>
PLATEAU_TABLE(multiply_pairs, round_row_to_pairs)
#undef PLATEAU_VECTOR_BYTES
}  // namespace bf16
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16"))), \
                             apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")
#endif
namespace amx {
#include <plateau/backend/cpu/kernels/tile_unit.inl>
// on which the others work
#include <plateau/backend/cpu/kernels/tiles.inl>
inline constexpr auto table = with_tiles(avx512::table, multiply_parts, split_row);
}  // namespace amx
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
}  // namespace plateau::backend::avx512

#endif

#undef PLATEAU_TABLE
#undef PLATEAU_UNROLL

namespace plateau::backend {

/// The table of a path. @pre this machine can run it
template <class T>
kernel_table<T> const& kernels_of(instruction_set path) {
#if defined(__x86_64__)
    if constexpr (std::is_same_v<T, float>) {
        switch (path) {
            case instruction_set::avx2: return avx2::table;
            case instruction_set::avx512: return avx512::table;
            case instruction_set::avx512_bf16: return avx512::bf16::table;
            case instruction_set::amx: return avx512::amx::table;
            case instruction_set::portable:
            case instruction_set::amx_emulated: break;
        }
    }
#endif
    if constexpr (std::is_same_v<T, float>) {
        if (path == instruction_set::amx_emulated) return emulated_tiles::table;
    }
    static_cast<void>(path);
    return plain::table<T>;
}

PLATEAU_COMPILED_FUNCTION(kernels_of);

}  // namespace plateau::backend
