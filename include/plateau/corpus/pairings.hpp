#pragma once
/// Pairs of prompts: chained, disjoint, or every two.

#include <array>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Two prompts, by number: the context and the other one.
using pair = std::array<index, 2>;

/// (0, 1), (1, 2), …, (N−2, N−1): N − 1 pairs, each sharing a prompt with its neighbours; `statistics::block_bootstrap`
/// knows what to make of that. @return none for fewer than two prompts      @see Janiak et al. 2024, code
inline std::vector<pair> chain_pairs(index prompts) {
    std::vector<pair> pairs;
    for (index i = 0; i + 1 < prompts; ++i) pairs.push_back({i, i + 1});
    return pairs;
}

/// (0, 1), (2, 3), …: ⌊N / 2⌋ independent pairs, an odd last prompt dropped.
inline std::vector<pair> disjoint_pairs(index prompts) {
    std::vector<pair> pairs;
    for (index i = 0; i + 1 < prompts; i += 2) pairs.push_back({i, i + 1});
    return pairs;
}

/// (i, j) for all i < j, by i, then j: N (N − 1) / 2 pairs, for `statistics::prompt_bootstrap`.
/// @throws usage_error for more than 100,000 prompts, whose pairs no memory holds
inline std::vector<pair> all_pairs(index prompts) {
    if (prompts > 100'000)
        throw usage_error("all pairs of ", prompts, " prompts are too many: pair fewer, or in a chain");
    std::vector<pair> pairs;
    for (index i = 0; i < prompts; ++i) {
        for (index j = i + 1; j < prompts; ++j) pairs.push_back({i, j});
    }
    return pairs;
}

}  // namespace plateau::corpus
