#pragma once
/// Sign changes between sign codes: how many signs differ from point to point of a path.

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

/// The number of signs in which two codes differ. @param a,b  [W], 64 signs to a word
/// @throws shape_error on unequal lengths      @see backend::sign_codes
inline index sign_changes(std::span<std::uint64_t const> a, std::span<std::uint64_t const> b) {
    if (a.size() != b.size()) throw shape_error("sign codes of ", a.size(), " and ", b.size(), " words");
    index changes = 0;
    for (std::size_t w = 0; w < a.size(); ++w) changes += std::popcount(a[w] ^ b[w]);
    return changes;
}

/// Sign changes from each point to the one `stride` points on: counts from below what happens between them, and the
/// more of it the smaller the stride; what crosses twice between two points is not seen.
/// @param codes  [S, W]      @return [(S − 1) / stride]      @throws usage_error unless stride divides S − 1
inline std::vector<index> sign_changes_along(tensor::view<std::uint64_t const, 2> codes, index stride = 1) {
    index const intervals = codes.extent(0) - 1;
    if (stride < 1 || intervals % stride != 0)
        throw usage_error("a path of ", intervals, " intervals has no grid of every ", stride, " of them");
    std::vector<index> changes;
    for (index i = 0; i < intervals; i += stride)
        changes.push_back(sign_changes(codes[i].flat(), codes[i + stride].flat()));
    return changes;
}

/// How many signs are not the same in all codes: hyperplanes that pass between the points.
/// @param codes  [S, W], S >= 1      @see Humayun et al. 2024, arXiv 2402.15555 (local complexity)
inline index signs_that_vary(tensor::view<std::uint64_t const, 2> codes) {
    index count = 0;
    for (index w = 0; w < codes.extent(1); ++w) {
        std::uint64_t varies = 0;
        for (index i = 1; i < codes.extent(0); ++i) varies |= codes(i, w) ^ codes(0, w);
        count += std::popcount(varies);
    }
    return count;
}

/// Numbers of intervals of the even grids that are part of one of `steps` points, from its own down to 1: the divisors
/// of S − 1. @throws usage_error if steps < 2
inline std::vector<index> nested_grids(index steps) {
    if (steps < 2) throw usage_error("a grid needs at least 2 points, got ", steps);
    std::vector<index> grids;
    for (index intervals = steps - 1; intervals >= 1; --intervals) {
        if ((steps - 1) % intervals == 0) grids.push_back(intervals);
    }
    return grids;
}

}  // namespace plateau::metrics
