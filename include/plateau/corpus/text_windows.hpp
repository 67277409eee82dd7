#pragma once
/// A long text cut into windows that a model can hold.

#include <algorithm>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Tokens [begin, end) of a text run together; of them [scored, end) count, each given all before it in the window.
struct text_window {
    index begin = 0, scored = 0, end = 0;
};

/// Windows of `length` tokens, one every `stride`, up to the one that reaches the text's end. A token counts in the
/// first window that holds it, unless it begins that window, since nothing is before it. So with stride = length
/// (windows one after the other) a token per window does not count, with stride < length the text's first token alone,
/// and every other one is given at least length − stride tokens before it.
/// @param tokens  of the text, 0 or more
/// @throws usage_error unless length ≥ 2 and 1 ≤ stride ≤ length
inline std::vector<text_window> text_windows(index tokens, index length, index stride) {
    if (length < 2)
        throw usage_error("a window needs 2 tokens or more, one to predict from and one to predict; got ", length);
    if (stride < 1 || stride > length) {
        throw usage_error("the stride must be 1 to ", length,
                          ", the length of a window, so that no token is left out; got ", stride);
    }
    std::vector<text_window> windows;
    for (index begin = 0, seen = 0; seen < tokens; begin += stride) {
        index const end = begin + std::min(length, tokens - begin);
        index const scored = std::max(seen, begin + 1);
        if (scored < end) windows.push_back({begin, scored, end});
        seen = end;
    }
    return windows;
}

}  // namespace plateau::corpus
