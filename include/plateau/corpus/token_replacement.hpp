#pragma once
/// Paths from one prompt to another through real prompts: nothing is patched.

#include <cstddef>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/corpus/windows.hpp>

namespace plateau::corpus {

enum class replacement_order {
    from_the_start,  ///< the first token in which they differ goes first
    from_the_end,    ///< the last one
};

/// The prompts on the way from a to b in which the tokens that differ are replaced one by one: K + 1 prompts of T
/// tokens for K positions that differ, α = k / K. Run each as it is: its read-out at the last position is a point of
/// the path.
/// @param a,b  [T] token ids
/// @post the first is a, the last is b, neighbours differ in one position; a alone if a = b
/// @throws shape_error if a and b differ in length; usage_error if they are empty
/// @see MARS V (real-text paths)
inline token_lists replacement_path(std::vector<token_id> const& a, std::vector<token_id> const& b,
                                    replacement_order order = replacement_order::from_the_start) {
    if (a.size() != b.size()) {
        throw shape_error("tokens are replaced one by one between prompts of one length, these have ", a.size(),
                          " and ", b.size());
    }
    if (a.empty()) throw usage_error("a prompt without tokens is no end of a path");
    token_lists path{a};
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t const at = order == replacement_order::from_the_start ? i : a.size() - 1 - i;
        if (a[at] == b[at]) continue;
        path.push_back(path.back());
        path.back()[at] = b[at];
    }
    return path;
}

}  // namespace plateau::corpus
