#pragma once
/// The positions of prompts that rows of a sweep share, and how they reach them.

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <plateau/engine/hook_roles.hpp>
#include <plateau/engine/prompt_pair.hpp>
#include <plateau/engine/prompts.hpp>

namespace plateau::engine {

/// How the positions before the first of a row reach the rows that see them.
enum class prefix_use : std::uint8_t {
    shared,    ///< their keys and values are computed once, for all rows
    in_block,  ///< their residual stream is kept, to run on in the blocks of their rows
};

/// What is wanted of a prompt.
struct prompt_use {
    index first = -1;   ///< first position of which something is kept; −1: the prompt does not run at all
    index prefix = -1;  ///< positions before those of rows, at most; −1: no row runs in it
};

/// What the pairs [first, end) want of each of `count` prompts.
inline std::vector<prompt_use> uses_of(std::vector<prompt_pair> const& pairs, std::vector<row_span> const& spans,
                                       std::size_t first, std::size_t end, std::size_t count) {
    std::vector<prompt_use> uses(count);
    auto const need = [&](index prompt, index position) -> prompt_use& {
        auto& use = uses[static_cast<std::size_t>(prompt)];
        use.first = use.first < 0 ? position : std::min(use.first, position);
        return use;
    };
    for (std::size_t i = first; i < end; ++i) {
        need(pairs[i].other(), spans[i].other);
        auto& use = need(pairs[i].context, spans[i].start);
        use.prefix = std::max(use.prefix, spans[i].start);
    }
    return uses;
}

/// The pairs [first, end) whose prefixes fit into `bytes`, at least one. @param bytes_of  of that many positions
template <class BytesOf>
std::size_t end_of_prefix_batch(std::vector<prompt_pair> const& pairs, std::vector<row_span> const& spans,
                                std::size_t first, index bytes, BytesOf const& bytes_of) {
    std::map<index, index> kept;  // positions by prompt
    index used = 0;
    std::size_t end = first;
    for (; end < pairs.size(); ++end) {
        auto& positions = kept[pairs[end].context];
        index const more = std::max<index>(0, spans[end].start - positions);
        positions += more;
        used += bytes_of(more);
        if (end > first && used > bytes) break;
    }
    return end;
}

/// By prompt, the one that stands for all whose prefixes are the same: that hold the same tokens, and that hooks cannot
/// tell apart. −1 where no row runs in it.
template <class T>
std::vector<index> shared_with(prompt_list const& prompts, std::vector<prompt_use> const& uses,
                               hook_roles<T> const& roles) {
    std::vector<index> owners(prompts.size(), -1);
    std::map<std::vector<token_id>, index> known;
    for (std::size_t i = 0; i < uses.size(); ++i) {
        if (uses[i].prefix < 0) continue;
        std::vector<token_id> key(prompts[i].begin(), prompts[i].begin() + uses[i].prefix);
        if (!roles.prefix_hooks.empty()) key.push_back(static_cast<token_id>(prompts[i].size()));
        if (roles.prompt_dependent) key.push_back(static_cast<token_id>(i));
        owners[i] = known.try_emplace(std::move(key), static_cast<index>(i)).first->second;
    }
    return owners;
}

}  // namespace plateau::engine
