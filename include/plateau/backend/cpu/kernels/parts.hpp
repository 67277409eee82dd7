#pragma once
/// Values of float as sums of bfloat16.

#include <bit>
#include <cmath>
#include <cstdint>

#include <plateau/core/dtype.hpp>
#include <plateau/core/types.hpp>

namespace plateau::backend {

/// Values of a float have at most this many parts: 8 bits of the 24 each.
inline constexpr int most_parts = 3;

/// The next part of a value: the bfloat16 nearest to what is left of it, or the one below where that would be infinite.
/// What is left has 8 bits less, and nothing of what is infinite or not a number.
/// Three parts are the value, unless they come below the smallest normal number, where products take them for zero.
inline bfloat16 take_part(float& left) {
    bfloat16 part{left};
    auto const word = std::bit_cast<std::uint32_t>(left);
    if (std::isinf(static_cast<float>(part)) && std::isfinite(left)) part.bits = static_cast<std::uint16_t>(word >> 16);
    float const more = left - static_cast<float>(part);
    left = more == more ? more : 0.0f;
    return part;
}

/// A row in parts, part p at out + p · step: two neighbouring k to a word, (count + 1) / 2 of them.
inline void split_row(float const* x, index count, int parts, std::uint32_t* out, index step) {
    for (index k = 0; k < count; k += 2) {
        float even = x[k], odd = k + 1 < count ? x[k + 1] : 0.0f;
        for (int p = 0; p < parts; ++p) {
            std::uint32_t const low = take_part(even).bits, high = take_part(odd).bits;
            out[p * step + k / 2] = low | high << 16;
        }
    }
}

}  // namespace plateau::backend
