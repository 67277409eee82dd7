#pragma once
/// Padded prompts: token lists of different lengths in one array.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Token ids [N,T] with T the longest prompt, −1 beyond a shorter one.
inline std::vector<std::int64_t> padded_tokens(std::vector<std::vector<token_id>> const& prompts, index longest) {
    std::vector<std::int64_t> tokens(prompts.size() * static_cast<std::size_t>(longest), -1);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        std::copy(prompts[i].begin(), prompts[i].end(), tokens.begin() + static_cast<std::ptrdiff_t>(i) * longest);
    }
    return tokens;
}

inline index longest_of(std::vector<std::vector<token_id>> const& prompts) {
    std::size_t longest = 0;
    for (auto const& prompt : prompts) longest = std::max(longest, prompt.size());
    return static_cast<index>(longest);
}

inline std::vector<std::int64_t> lengths_of(std::vector<std::vector<token_id>> const& prompts) {
    std::vector<std::int64_t> lengths;
    for (auto const& prompt : prompts) lengths.push_back(static_cast<std::int64_t>(prompt.size()));
    return lengths;
}

inline bool ragged(std::vector<std::vector<token_id>> const& prompts) {
    auto const lengths = lengths_of(prompts);
    return *std::min_element(lengths.begin(), lengths.end()) != longest_of(prompts);
}

}  // namespace plateau::corpus
