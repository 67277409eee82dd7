#pragma once
/// Bodies of nn/rows.hpp.

#include <span>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/nn/rows.hpp>

namespace plateau::nn {

PLATEAU_INLINE_HOT void rows::add(hooks::row_id first, std::span<token_id const> of_rows, kept_keys const* prefix,
                                  kept_keys* record) {
    sequences.push_back({count(), static_cast<index>(of_rows.size()), first.position, prefix, record});
    for (token_id const token : of_rows) {
        first.last = first.position + 1 == first.length;
        ids.push_back(first);
        tokens.push_back(token);
        ++first.position;
    }
}

}  // namespace plateau::nn
