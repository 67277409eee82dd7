#pragma once
/// Bodies of core/table.hpp.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/table.hpp>

namespace plateau {

PLATEAU_INLINE std::string fixed(double value, int decimals) {
    int const length = std::snprintf(nullptr, 0, "%.*f", decimals, value);
    std::string text(static_cast<std::size_t>(length), '\0');
    std::snprintf(text.data(), text.size() + 1, "%.*f", decimals, value);
    return value != value ? "nan" : text;  // the sign of a NaN means nothing
}

PLATEAU_INLINE table& table::row(std::vector<std::string> cells) {
    if (cells.size() != header_.size()) {
        throw shape_error("a table row has ", cells.size(), " cells, the header has ", header_.size());
    }
    rows_.push_back(std::move(cells));
    return *this;
}

PLATEAU_INLINE std::string table::render() const {
    std::vector<column> columns;
    std::vector<std::string> rule;
    for (std::size_t at = 0; at < header_.size(); ++at) {
        columns.push_back(measure(at));
        rule.emplace_back(columns.back().width, '-');
    }
    std::string text = line(header_, columns) + line(rule, columns);
    for (auto const& cells : rows_) text += line(cells, columns);
    return text;
}

PLATEAU_INLINE std::size_t table::width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

PLATEAU_INLINE bool table::is_number(std::string_view text) {
    double value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem != std::errc::invalid_argument && end == text.data() + text.size();
}

PLATEAU_INLINE table::column table::measure(std::size_t at) const {
    column result{width_of(header_[at]), false};
    bool others = false;
    for (auto const& cells : rows_) {
        auto const& cell = cells[at];
        result.width = std::max(result.width, width_of(cell));
        if (cell.empty() || cell == "-") continue;
        (is_number(cell) ? result.numbers : others) = true;
    }
    result.numbers = result.numbers && !others;
    return result;
}

PLATEAU_INLINE std::string table::line(std::vector<std::string> const& cells, std::vector<column> const& columns) {
    std::string text;
    for (std::size_t at = 0; at < cells.size(); ++at) {
        std::string const blanks(columns[at].width - width_of(cells[at]), ' ');
        text += at == 0 ? "" : "  ";
        text += columns[at].numbers ? blanks + cells[at] : cells[at] + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + '\n';
}

}  // namespace plateau
