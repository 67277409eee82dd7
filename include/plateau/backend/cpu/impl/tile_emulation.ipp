#pragma once
/// Bodies of backend/cpu/tile_emulation.hpp.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <plateau/backend/cpu/tile_emulation.hpp>
#include <plateau/core/macros.hpp>

namespace plateau::backend::emulated_tiles {

PLATEAU_INLINE void tile_unit::configure(int rows, int more, int pairs) {
    shape const shapes[] = {{rows, 16},    {rows, 16},    {more, 16},  {more, 16},
                            {rows, pairs}, {more, pairs}, {pairs, 16}, {pairs, 16}};
    std::memcpy(shapes_, shapes, sizeof shapes_);
    std::memset(tiles_, 0, sizeof tiles_);
}

PLATEAU_INLINE void tile_unit::load(int tile, void const* from, index stride) {
    auto const [rows, words] = shapes_[tile];
    auto const* at = static_cast<std::byte const*>(from);
    for (int r = 0; r < rows; ++r, at += stride) std::memcpy(tiles_[tile][r], at, static_cast<std::size_t>(words) * 4);
}

PLATEAU_INLINE void tile_unit::store(int tile, void* to, index stride) const {
    auto const [rows, words] = shapes_[tile];
    auto* at = static_cast<std::byte*>(to);
    for (int r = 0; r < rows; ++r, at += stride) std::memcpy(at, tiles_[tile][r], static_cast<std::size_t>(words) * 4);
}

PLATEAU_INLINE void tile_unit::clear(int tile) { std::memset(tiles_[tile], 0, sizeof tiles_[tile]); }

PLATEAU_INLINE_HOT void tile_unit::multiply(int sums, int inputs, int weights) {
    // a float as an operand: subnormals are zeros of their sign
    auto const operand = [](std::uint32_t word) {
        return static_cast<double>(std::bit_cast<float>((word & 0x7F800000u) == 0 ? word & 0x80000000u : word));
    };
    // what a multiply-add of floats rounds to: the double has enough digits that rounding twice changes nothing, for a
    // product of two bfloat16 has 16
    auto const result = [](double exact) {
        constexpr double least = 0x1p-126 - 0x1p-151;  // from here on it rounds to a normal number
        return std::abs(exact) < least ? static_cast<float>(exact * 0) : static_cast<float>(exact);
    };
    auto const& w = tiles_[weights];
    for (int r = 0; r < shapes_[inputs].rows; ++r) {
        float even[16] = {}, odd[16] = {};
        for (int k = 0; k < shapes_[inputs].words; ++k) {
            std::uint32_t const x = tiles_[inputs][r][k];
            double const low = operand(x << 16), high = operand(x & 0xFFFF0000u);
            for (int n = 0; n < 16; ++n) {
                even[n] = result(low * operand(w[k][n] << 16) + double{even[n]});
                odd[n] = result(high * operand(w[k][n] & 0xFFFF0000u) + double{odd[n]});
            }
        }
        for (int n = 0; n < 16; ++n) {
            auto& word = tiles_[sums][r][n];
            float const sum = result(double{even[n]} + double{odd[n]});
            word = std::bit_cast<std::uint32_t>(result(operand(word) + double{sum}));
        }
    }
}

}  // namespace plateau::backend::emulated_tiles
