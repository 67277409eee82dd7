#pragma once
/// Bodies of engine/prompts.hpp.

#include <algorithm>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/prompts.hpp>

namespace plateau::engine {

PLATEAU_INLINE void require_prompts(prompt_list const& prompts, index vocabulary, index context) {
    if (prompts.empty()) throw usage_error("there are no prompts: give at least one");
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        auto const length = static_cast<index>(prompts[i].size());
        if (length == 0) throw usage_error("prompt ", i, " is empty: a prompt needs at least one token");
        if (length > context) {
            throw usage_error("prompt ", i, " has ", length, " tokens, the model's context ends at ", context,
                              ": shorten it");
        }
        for (index t = 0; t < length; ++t) {
            token_id const token = prompts[i][static_cast<std::size_t>(t)];
            if (token >= 0 && token < vocabulary) continue;
            throw usage_error("prompt ", i, " holds token ", token, " at position ", t,
                              ", outside of the vocabulary [0, ", vocabulary, "): the largest id is ", vocabulary - 1,
                              "; was it made with another tokenizer?");
        }
    }
}

PLATEAU_INLINE std::vector<std::pair<index, index>> batches_of(prompt_list const& prompts, index rows) {
    std::vector<std::pair<index, index>> batches;
    index filled = 0;
    for (index i = 0; i < static_cast<index>(prompts.size()); ++i) {
        auto const length = static_cast<index>(prompts[static_cast<std::size_t>(i)].size());
        if (batches.empty() || filled + length > rows) {
            batches.emplace_back(i, i);
            filled = 0;
        }
        batches.back().second = i + 1;
        filled += length;
    }
    return batches;
}

}  // namespace plateau::engine
