#pragma once
/// Bodies of io/tokenizer/spec.hpp.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

PLATEAU_INLINE bool split_merge(std::string_view merge, std::string& left, std::string& right) {
    auto const space = merge.find(' ');
    if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) return false;
    left = merge.substr(0, space);
    right = merge.substr(space + 1);
    return true;
}

}  // namespace plateau::io
