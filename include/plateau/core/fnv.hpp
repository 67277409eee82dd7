#pragma once
/// The hash function FNV-1a, of texts and of lists of integers.

#include <concepts>
#include <cstdint>

namespace plateau {

/// One step for every item x, in order; an item of one byte counts as that byte, a wider one as a 64-bit number:
///     h ← (h xor x) · 1099511628211 mod 2^64,   h₀ = 14695981039346656037
/// Of bytes it is the published 64-bit function; of wider items it is the same recurrence and no published one.
/// @param items  a text, or anything else that a range-for goes through      @post the same on every machine. O(n)
/// @see Fowler, Noll & Vo, "The FNV Non-Cryptographic Hash Algorithm" (draft-eastlake-fnv)
template <class Items>
constexpr std::uint64_t fnv1a(Items const& items) {
    std::uint64_t hash = 14695981039346656037u;
    for (std::integral auto const item : items) {
        auto const number = static_cast<std::uint64_t>(item);
        hash = (hash ^ (sizeof item == 1 ? number & 0xFF : number)) * 1099511628211u;
    }
    return hash;
}

}  // namespace plateau
