#pragma once
/// The positions of prompts that rows of a sweep share, and how they reach them.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/prompt_pair.hpp>
#include <plateau/engine/prompts.hpp>
#include <plateau/nn/rope.hpp>

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
std::vector<prompt_use> uses_of(std::vector<prompt_pair> const& pairs, std::vector<row_span> const& spans,
                                std::size_t first, std::size_t end, std::size_t count);

/// The pairs [first, end) whose prefixes fit into `bytes`, at least one. @param bytes_of  of that many positions
template <class BytesOf>
PLATEAU_INLINE std::size_t end_of_prefix_batch(std::vector<prompt_pair> const& pairs,
                                               std::vector<row_span> const& spans, std::size_t first, index bytes,
                                               BytesOf const& bytes_of) {
    std::vector<index> kept;  // positions by prompt
    index used = 0;
    std::size_t end = first;
    for (; end < pairs.size(); ++end) {
        auto const context = static_cast<std::size_t>(pairs[end].context);
        if (context >= kept.size()) kept.resize(context + 1);
        index const more = std::max<index>(0, spans[end].start - kept[context]);
        kept[context] += more;
        used += bytes_of(more);
        if (end > first && used > bytes) break;
    }
    return end;
}

/// By prompt, the one that stands for all whose prefixes are the same: that hold the same tokens, and that hooks cannot
/// tell apart. −1 where no row runs in it. @param by_length  hooks see how long the prompt is
/// @param by_prompt  or which it is      @param ropes  rotary positions whose frequencies go by the prompt's length
std::vector<index> shared_with(prompt_list const& prompts, std::vector<prompt_use> const& uses, bool by_length,
                               bool by_prompt, std::vector<nn::rope_lengths> const& ropes = {});

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/prefix_plan.ipp>
#endif
