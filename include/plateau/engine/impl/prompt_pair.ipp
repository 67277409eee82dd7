#pragma once
/// Bodies of engine/prompt_pair.hpp.

#include <algorithm>
#include <optional>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/prompt_pair.hpp>

namespace plateau::engine {

PLATEAU_INLINE row_span resolve_rows(write_positions const& of_sweep, std::vector<token_id> const& context,
                                     std::vector<token_id> const& other, prompt_pair const& pair) {
    auto const write = pair.positions.value_or(of_sweep);
    auto const length = static_cast<index>(context.size()), other_length = static_cast<index>(other.size());
    if (write.suffix) {
        if (length != other_length) {
            throw usage_error("suffix mode needs prompts of one length, prompts ", pair.context, " and ", pair.other(),
                              " have ", length, " and ", other_length, " tokens: pair others, or write at a position");
        }
        index const first = std::min<index>(
            std::mismatch(context.begin(), context.end(), other.begin()).first - context.begin(), length - 1);
        return {first, first, first, length - first};
    }
    for (index const number : {pair.context, pair.other()}) {
        auto const tokens = number == pair.context ? length : other_length;
        try {
            write.at.require(tokens);
        } catch (usage_error const& problem) {
            throw usage_error("prompt ", number, " cannot be written to: ", problem.what());
        }
    }
    row_span rows{write.at.first_in(length), write.at.first_in(length), write.at.first_in(other_length), 0};
    rows.count = write.at.end_in(length) - rows.first;
    if (write.at.end_in(other_length) - rows.other != rows.count) {
        throw usage_error("the span to be written has ", rows.count, " positions in prompt ", pair.context, " and ",
                          write.at.end_in(other_length) - rows.other, " in prompt ", pair.other(),
                          ": count both its ends from the same side");
    }
    return rows;
}

}  // namespace plateau::engine
