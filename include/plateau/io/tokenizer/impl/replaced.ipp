#pragma once
/// Bodies of io/tokenizer/replaced.hpp.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/replaced.hpp>

namespace plateau::io {

PLATEAU_INLINE std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    while (true) {
        auto const at = text.find(from);
        result += text.substr(0, at);
        if (at == std::string_view::npos) return result;
        result += to;
        text.remove_prefix(at + from.size());
    }
}

}  // namespace plateau::io
