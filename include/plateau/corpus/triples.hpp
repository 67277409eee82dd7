#pragma once
/// Triples of prompts: the anchors A, B, C of planes, chained, disjoint, or of pairs.

#include <array>
#include <span>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Three prompts, by number.
using triple = std::array<index, 3>;

/// (0, 1, 2), (1, 2, 3), …: N − 2 triples.
inline std::vector<triple> chain_triples(index prompts) {
    std::vector<triple> all;
    for (index i = 0; i + 2 < prompts; ++i) all.push_back({i, i + 1, i + 2});
    return all;
}

/// (0, 1, 2), (3, 4, 5), …: ⌊N / 3⌋ triples.
inline std::vector<triple> disjoint_triples(index prompts) {
    std::vector<triple> all;
    for (index i = 0; i + 2 < prompts; i += 3) all.push_back({i, i + 1, i + 2});
    return all;
}

/// Each pair with the first prompt that is neither of it. @param numbers  [P, 2], row by row
inline std::vector<triple> triples_of_pairs(std::span<index const> numbers) {
    std::vector<triple> all;
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
        index third = 0;
        while (third == numbers[i] || third == numbers[i + 1]) ++third;
        all.push_back({numbers[i], numbers[i + 1], third});
    }
    return all;
}

/// @param numbers  [n, 3], row by row
inline std::vector<triple> triples_of_rows(std::span<index const> numbers) {
    std::vector<triple> all;
    for (std::size_t i = 0; i + 2 < numbers.size(); i += 3) all.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
    return all;
}

}  // namespace plateau::corpus
