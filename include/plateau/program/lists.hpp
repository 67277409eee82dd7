#pragma once
/// Lists in options: blocks, and ranges.

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/split.hpp>
#include <plateau/core/types.hpp>

namespace plateau::program {

/// The numbers of blocks that "3,7" or "0:28" (up to and with 28) names, or all of an empty text.
/// @param option  that gave it      @throws usage_error
inline std::vector<index> blocks_of(std::string const& option, std::string const& text, index layers) {
    auto const number = [&](std::string const& part) {
        bool const digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
        if (digits && part.size() <= 6 && std::stol(part) < layers) return std::stol(part);
        throw usage_error(option, " ", text, ": ", digits ? "there is no block " + part : "'" + part + "' is no number",
                          "; give numbers of blocks, 0 to ", layers - 1, ", as 0,7,14 or 0:28");
    };
    std::vector<index> all;
    for (auto const& part : split(text.empty() ? "0:" + std::to_string(layers - 1) : text)) {
        auto const colon = part.find(':');
        index const first = number(part.substr(0, colon)),
                    last = colon == std::string::npos ? first : number(part.substr(colon + 1));
        for (index l = first; l <= last; ++l) all.push_back(l);
    }
    if (all.empty())
        throw usage_error(option, " ", text, ": it names no block; give numbers of blocks, 0 to ", layers - 1,
                          ", as 0,7,14 or 0:28");
    return all;
}

/// The numbers of "LOW,HIGH". @param option  that gave it      @throws usage_error
inline std::array<double, 2> range_of(std::string const& option, std::string const& text) {
    std::array<double, 2> range{};
    auto const parts = split(text);
    bool good = parts.size() == 2;
    for (std::size_t k = 0; k < 2 && good; ++k) {
        auto const* const end = parts[k].data() + parts[k].size();
        auto const read = std::from_chars(parts[k].data(), end, range[k]);
        good = read.ec == std::errc{} && read.ptr == end && std::isfinite(range[k]);
    }
    if (good && range[0] < range[1]) return range;
    throw usage_error(option, " '", text, "' is no range: give two numbers, the lower one first, such as -0.25,1.25");
}

}  // namespace plateau::program
