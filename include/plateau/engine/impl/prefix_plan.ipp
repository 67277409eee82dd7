#pragma once
/// Bodies of engine/prefix_plan.hpp.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/engine/prefix_plan.hpp>

namespace plateau::engine {

PLATEAU_INLINE std::vector<prompt_use> uses_of(std::vector<prompt_pair> const& pairs,
                                               std::vector<row_span> const& spans, std::size_t first, std::size_t end,
                                               std::size_t count) {
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

PLATEAU_INLINE std::vector<index> shared_with(prompt_list const& prompts, std::vector<prompt_use> const& uses,
                                              bool by_length, bool by_prompt,
                                              std::vector<nn::rope_lengths> const& ropes) {
    std::vector<index> owners(prompts.size(), -1), first_with;
    name_index known;  // of what tells prefixes apart, as bytes
    for (std::size_t i = 0; i < uses.size(); ++i) {
        if (uses[i].prefix < 0) continue;
        std::vector<token_id> key(prompts[i].begin(), prompts[i].begin() + uses[i].prefix);
        auto const length = static_cast<index>(prompts[i].size());
        if (by_length) key.push_back(static_cast<token_id>(length));
        for (auto const& of : ropes) key.push_back(static_cast<token_id>(of(length)));
        if (by_prompt) key.push_back(static_cast<token_id>(i));
        auto const [number, is_new] =
            known.add({reinterpret_cast<char const*>(key.data()), key.size() * sizeof(token_id)});
        if (is_new) first_with.push_back(static_cast<index>(i));
        owners[i] = first_with[number];
    }
    return owners;
}

}  // namespace plateau::engine
