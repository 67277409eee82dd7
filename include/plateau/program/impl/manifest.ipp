#pragma once
/// Bodies of program/manifest.hpp.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/program/compiled.hpp>
#include <plateau/program/manifest.hpp>

namespace plateau::program {

PLATEAU_PROGRAM_INLINE std::vector<std::string> axes_of(file const& one) {
    std::vector<std::string> axes;
    auto const open = one.holds.find('['), close = one.holds.find(']');
    if (open == std::string::npos || close == std::string::npos) return axes;
    std::istringstream inside{one.holds.substr(open + 1, close - open - 1)};
    for (std::string axis; std::getline(inside, axis, ',');) axes.push_back(axis.substr(0, axis.find('?')));
    return axes;
}

PLATEAU_PROGRAM_INLINE bool has_name(file const& one, std::string_view name) {
    auto const k = one.name.find(".K.");
    if (k == std::string::npos) return one.name == name;
    auto const before = one.name.substr(0, k + 1), after = one.name.substr(k + 2);
    if (!name.starts_with(before) || !name.ends_with(after) || name.size() <= before.size() + after.size())
        return false;
    auto const number = name.substr(before.size(), name.size() - before.size() - after.size());
    return std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

namespace detail {

/// A paragraph in lines of at most `width` columns, the first `used` of the first one taken; every further line is
/// indented.
PLATEAU_PROGRAM_INLINE std::string wrapped(std::string const& paragraph, std::size_t used, std::size_t indent,
                                           std::size_t width) {
    std::string text;
    std::istringstream words{paragraph};
    for (std::string word; words >> word;) {
        if (!text.empty() && used + 1 + word.size() > width) {
            text += '\n' + std::string(indent, ' ');
            used = indent;
        } else if (!text.empty()) {
            text += ' ', ++used;
        }
        text += word, used += word.size();
    }
    return text + '\n';
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE std::string help_text(manifest const& leaves) {
    constexpr std::size_t width = 110;
    auto files = leaves.files;
    for (auto& one : files) {
        if (one.holds.starts_with("int64 ")) one.holds.insert(5, "  ");  // axes below each other
        if (auto const at = one.holds.find("?,"); at != std::string::npos) one.holds.erase(at - 1, 3);
    }
    if (!leaves.summary.empty())
        files.push_back({"summary.json", "one object", std::string(common_keys) + ", " + leaves.summary});
    std::size_t name = 0, holds = 0;
    for (auto const& one : files) {
        name = std::max(name, one.name.size());
        holds = std::max(holds, one.holds.size());
    }
    name = std::min<std::size_t>(name, 26), holds = std::min<std::size_t>(holds, 17);
    auto const padded = [](std::string const& text, std::size_t to) {
        return text + std::string(text.size() < to ? to - text.size() : 0, ' ') + "  ";
    };
    std::string text =
        detail::wrapped(leaves.where + (leaves.axes.empty() ? ":" : " (" + leaves.axes + "):"), 0, 0, width);
    for (auto const& one : files) {
        auto const head = "  " + padded(one.name, name) + padded(one.holds, holds);
        auto const what = one.when.empty() ? one.what : one.when + ": " + one.what;
        text += head + detail::wrapped(what, head.size(), 2 + name + 2 + holds + 2, width);
    }
    for (auto const& note : leaves.notes) text += detail::wrapped(note, 0, 0, width);
    return text;
}

}  // namespace plateau::program
