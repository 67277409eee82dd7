#pragma once
/// Prompts as token ids, and batches of them.

#include <algorithm>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// Prompts are token ids; lengths may differ.
using prompt_list = std::vector<std::vector<token_id>>;

}  // namespace plateau

namespace plateau::engine {

/// @throws usage_error unless every prompt has 1..context tokens, each in [0, vocabulary)
void require_prompts(prompt_list const& prompts, index vocabulary, index context);

/// Tokens of all prompts.
inline index tokens_of(prompt_list const& prompts) {
    index total = 0;
    for (auto const& prompt : prompts) total += static_cast<index>(prompt.size());
    return total;
}

/// Groups of consecutive prompts of about `rows` positions each, as [first, last) pairs.
std::vector<std::pair<index, index>> batches_of(prompt_list const& prompts, index rows);

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/prompts.ipp>
#endif
