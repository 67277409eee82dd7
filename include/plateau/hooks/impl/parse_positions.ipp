#pragma once
/// Bodies of hooks/parse_positions.hpp.

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/parse_positions.hpp>

namespace plateau::hooks {

PLATEAU_INLINE positions parse_positions(std::string const& text) {
    if (text == "last") return positions::last();
    auto const wrong = [&]() -> usage_error {
        return usage_error("--position " + text + " means no positions: give last, N or N:M, negative from the end");
    };
    auto const number = [&](std::string_view part) {
        index value = 0;
        auto const [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (problem != std::errc{} || end != part.data() + part.size()) throw wrong();
        return value;
    };
    std::string_view const all{text};
    auto const colon = all.find(':');
    if (colon == std::string_view::npos) return positions::one(number(all));
    auto const first = all.substr(0, colon), end = all.substr(colon + 1);
    positions span{first.empty() ? 0 : number(first), end.empty() ? 0 : number(end)};
    if (!end.empty() && span.end == 0) throw wrong();
    if ((span.first < 0) == (span.end <= 0) && span.end != 0 && span.first >= span.end) throw wrong();
    return span;
}

}  // namespace plateau::hooks
