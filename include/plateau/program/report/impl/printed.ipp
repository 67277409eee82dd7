#pragma once
/// Bodies of program/report/printed.hpp.

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/program/compiled.hpp>
#include <plateau/program/report/printed.hpp>
#include <plateau/program/report/spelling.hpp>
#include <plateau/viz/printable.hpp>

namespace plateau::program::report {

namespace detail {

/// One code point each, as widths of tables count them.
using glyphs = std::vector<std::string_view>;
/// Where a column begins and ends, in code points.
using extent = std::pair<std::size_t, std::size_t>;

PLATEAU_PROGRAM_INLINE glyphs glyphs_of(std::string_view line) {
    glyphs result;
    while (!line.empty()) {
        auto const length = std::max<std::size_t>(1, viz::detail::sequence_length(line));
        result.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
    return result;
}

/// The columns of a line of dashes; none of any other line.
PLATEAU_PROGRAM_INLINE std::vector<extent> columns_of(std::string const& line) {
    std::vector<extent> columns;
    for (std::size_t at = 0; at < line.size();) {
        auto const end = std::min(line.find_first_not_of('-', at), line.size());
        if (end == at || (end < line.size() && line.compare(end, 2, "  ") != 0)) return {};
        columns.emplace_back(at, end);
        at = end == line.size() ? end : end + 2;
    }
    return columns;
}

PLATEAU_PROGRAM_INLINE std::string trimmed(std::string const& cell) {
    auto const first = cell.find_first_not_of(' ');
    return first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
}

/// The cells of a line; none if a letter stands between columns.
PLATEAU_PROGRAM_INLINE std::vector<std::string> cells_of(std::string const& line, std::vector<extent> const& columns) {
    auto const all = glyphs_of(line);
    std::vector<std::string> cells;
    std::size_t end = 0;
    for (auto const& column : columns) {
        for (; end < column.first; ++end) {
            if (end < all.size() && all[end] != " ") return {};
        }
        std::string cell;
        for (; end < column.second && end < all.size(); ++end) cell += all[end];
        end = column.second;
        cells.push_back(trimmed(cell));
    }
    return end < all.size() ? std::vector<std::string>{} : cells;
}

/// Whether it is a number, one with its interval, or what stands for a missing one.
PLATEAU_PROGRAM_INLINE bool is_number(std::string const& cell) {
    for (auto const* word : {"", "-", "nan", "inf", "-inf"}) {
        if (cell == word) return true;
    }
    return std::string_view{"0123456789+-."}.find(cell[0]) != std::string_view::npos &&
           cell.find_first_not_of("0123456789.,+-e[]naif %") == std::string::npos;
}

PLATEAU_PROGRAM_INLINE std::string table_html(std::vector<std::vector<std::string>> const& rows) {
    std::vector<bool> number(rows[0].size(), true);
    for (std::size_t r = 1; r < rows.size(); ++r) {
        for (std::size_t c = 0; c < number.size(); ++c) number[c] = number[c] && is_number(rows[r][c]);
    }
    std::string text = "<div class=\"wide\"><table>\n";
    for (std::size_t r = 0; r < rows.size(); ++r) {
        text += r == 0 ? "<thead><tr>" : r == 1 ? "<tbody>\n<tr>" : "<tr>";
        for (std::size_t c = 0; c < number.size(); ++c) {
            char const* const tag = r == 0 || c == 0 ? "th" : "td";
            auto const kind = std::string(r == 0   ? " scope=\"col\""
                                          : c == 0 ? " scope=\"row\""
                                                   : "") +
                              (number[c] ? " class=\"number\"" : "");
            ((((text += '<') += tag) += kind) += '>') += html(rows[r][c]);
            ((text += "</") += tag) += '>';
        }
        text += r == 0 ? "</tr></thead>\n" : "</tr>\n";
    }
    return text + (rows.size() > 1 ? "</tbody>" : "") + "</table></div>\n";
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE std::string printed_html(std::string const& text) {
    std::vector<std::string> lines;
    std::istringstream all{text};
    for (std::string line; std::getline(all, line);) lines.push_back(line);
    std::string result, plain;
    auto const end_plain = [&] {
        bool const laid_out = plain.find("  ") != std::string::npos || plain.starts_with(" ");
        if (plain.find_first_not_of(" \n") != std::string::npos)
            result += (laid_out ? "<pre>" : "<p class=\"remark\">") + html(plain) + (laid_out ? "</pre>\n" : "</p>\n");
        plain.clear();
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto const columns = i + 1 < lines.size() ? detail::columns_of(lines[i + 1]) : std::vector<detail::extent>{};
        auto const head = columns.empty() ? std::vector<std::string>{} : detail::cells_of(lines[i], columns);
        if (head.empty()) {
            if (lines[i].empty()) end_plain();
            else plain += lines[i] + '\n';
            continue;
        }
        end_plain();
        std::vector<std::vector<std::string>> rows{head};
        for (++i; i + 1 < lines.size(); ++i) {
            auto const cells = detail::cells_of(lines[i + 1], columns);
            bool const only_first = cells.size() > 1 && std::all_of(cells.begin() + 1, cells.end(),
                                                                    [](auto const& c) { return c.empty(); });
            if (lines[i + 1].empty() || cells.empty() || only_first) break;
            rows.push_back(cells);
        }
        result += detail::table_html(rows);
    }
    end_plain();
    return result;
}

}  // namespace plateau::program::report
