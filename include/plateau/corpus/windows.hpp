#pragma once
/// Prompts drawn from a long text, as the authors of the published studies draw them.

#include <cstdint>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Prompts as token ids; lengths may differ.
using token_lists = std::vector<std::vector<token_id>>;

/// `count` windows out of ⌊n / length⌋, the text's consecutive pieces of `length` tokens (what is left at the end
/// belongs to none), without replacement, in the order in which they were drawn. So no token is in two of them.
/// @param text  [n] token ids of the whole text      @param seed  the windows are a function of it
/// @throws usage_error if count or length is below 1, or the text has fewer windows than asked for
/// @see Janiak et al. 2024, code: TransformerLens' tokenize_and_concatenate, then random.sample
inline token_lists draw_windows(std::span<token_id const> text, index count, index length, std::uint64_t seed) {
    if (count < 1 || length < 1) {
        throw usage_error("windows are drawn by the piece: at least 1 of at least 1 token, not ", count, " of ",
                          length);
    }
    index const windows = static_cast<index>(text.size()) / length;
    if (windows < count) {
        throw usage_error("the text has ", windows, " windows of ", length, " tokens, ", count,
                          " were asked for: ask for fewer or shorter "
                          "ones, or give a longer text");
    }
    token_lists drawn;
    for (index const window : sample_without_replacement(windows, count, seed)) {
        auto const tokens = text.subspan(static_cast<std::size_t>(window * length), static_cast<std::size_t>(length));
        drawn.emplace_back(tokens.begin(), tokens.end());
    }
    return drawn;
}

}  // namespace plateau::corpus
