#pragma once
/// One text for another, wherever it occurs.

#include <string>
#include <string_view>

namespace plateau::io {

/// Every occurrence of a text replaced. @pre from is not empty
[[gnu::cold]] inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
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
