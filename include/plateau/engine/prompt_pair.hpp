#pragma once
/// Two prompts, and which positions of them a row writes and carries.

#include <algorithm>
#include <optional>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/positions.hpp>

namespace plateau::engine {

/// Which positions of a row its point replaces.
struct write_positions {
    hooks::positions at = hooks::positions::last();  ///< of both prompts, negative ones each from its own end
    bool suffix =
        false;  ///< instead: from the first token in which the two differ, so that both ends of a path are natural runs
};

/// A pair of prompts, by number: a path goes from the activation of one to that of the other.
struct prompt_pair {
    index from;
    index to;
    index context = from;                           ///< the prompt in which rows run: one of the two
    std::optional<write_positions> positions = {};  ///< of this pair alone, instead of those of the sweep

    /// The end whose own run is not the context's; `from` if both are the context.
    index other() const { return context == from ? to : from; }
};

/// The same pair as rows of its other end's run see it: the path keeps its direction.
inline prompt_pair in_other_context(prompt_pair pair) {
    pair.context = pair.other();
    return pair;
}

/// Which positions the rows of a pair have.
struct row_span {
    index start = 0;  ///< first one that rows carry, to the end of the context
    index first = 0;  ///< first one written
    index other = 0;  ///< where its value comes from in the other prompt
    index count = 0;  ///< written

    /// The first position of an end of the pair.
    index of(index prompt, prompt_pair const& pair) const { return prompt == pair.context ? first : other; }
};

/// Prompts that do not differ at all have their last position as suffix.
/// @param of_sweep  what is written, unless the pair has positions of its own
/// @param context,other  [T] each, the pair's prompts
/// @throws usage_error if a prompt does not have the positions, spans differ in length, or suffixes are of prompts that
///         do
row_span resolve_rows(write_positions const& of_sweep, std::vector<token_id> const& context,
                      std::vector<token_id> const& other, prompt_pair const& pair);

}  // namespace plateau::engine

#if !PLATEAU_COMPILED
#include <plateau/engine/impl/prompt_pair.ipp>
#endif
