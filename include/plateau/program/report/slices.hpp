#pragma once
/// Pictures of slices over which one can walk in a page, and read distances and likeliest tokens.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/models/readable.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/program/report/spelling.hpp>
#include <plateau/viz/slices.hpp>

namespace plateau::program {

namespace report {

/// Numbers from 0 to 65535, two bytes each, the lower first.
inline std::string base64_of(std::vector<unsigned> const& numbers) {
    std::string bytes;
    for (unsigned const one : numbers) (bytes += static_cast<char>(one & 255u)) += static_cast<char>(one >> 8 & 255u);
    return base64(bytes);
}

/// A map as parts of its largest value, 65534 for the whole of it; 65535 where it is not finite.
inline std::string base64_of(tensor::view<double const, 2> map, double largest) {
    std::vector<unsigned> numbers;
    for (index r = 0; r < map.extent(0); ++r) {
        for (index c = 0; c < map.extent(1); ++c) {
            double const part = largest > 0 ? map(r, c) / largest : 0;
            numbers.push_back(std::isfinite(part) ? static_cast<unsigned>(std::lround(std::clamp(part, 0., 1.) * 65534))
                                                  : 65535u);
        }
    }
    return base64_of(numbers);
}

/// The slices of a figure as page.js takes them, with the labels that the page has kept. The first that fit into it.
inline std::string json(page& to, viz::slice_figure const& figure) {
    auto const numbers = [](auto const& values) {
        std::string text;
        for (double const one : values) text += (text.empty() ? "" : ",") + json(one, 6);
        return "[" + text + "]";
    };
    constexpr std::size_t most = 3'000'000;  // numbers: 8 MB
    auto const points = figure.grid.u.size() * figure.grid.v.size();
    auto const shown = std::min(figure.panels.size(), std::max<std::size_t>(1, most / (3 * points)));
    if (shown < figure.panels.size())
        to.leave_out("slices to walk over: the first " + std::to_string(shown) + " of " +
                     std::to_string(figure.panels.size()) + " are here");

    auto const* const labels = to.kept("labels.npy");
    std::map<double, unsigned> words;  // numbered in the order of their ids; 65535 and above are not told
    if (labels != nullptr) {
        for (double const id : labels->values) words.emplace(id, 0u);
    }
    std::string told;
    unsigned next = 0;
    for (auto& [id, number] : words) {
        number = std::min(next++, 65535u);
        if (number == 65535u) continue;
        told += (told.empty() ? "" : ",") + json(models::token_text(to.texts, static_cast<token_id>(id)));
    }

    std::string panels;
    for (std::size_t i = 0; i < shown; ++i) {
        auto const& one = figure.panels[i];
        auto const largest = viz::largest_of(one.distances);
        std::string maps, marks, ids;
        for (std::size_t k = 0; k < 3; ++k) {
            maps += std::string(k > 0 ? "," : "") + '"' + base64_of(one.distances[k], largest[k]) + '"';
            if (labels == nullptr || static_cast<index>(i) >= labels->kept) continue;
            std::vector<unsigned> map;
            for (std::size_t at = k * points; at < (k + 1) * points; ++at)
                map.push_back(words.at(labels->at(0, static_cast<index>(i))[at]));
            ids += std::string(k > 0 ? "," : "") + '"' + base64_of(map) + '"';
        }
        for (auto const& mark : one.anchors)
            marks += (marks.empty() ? "{\"name\":" : ",{\"name\":") + json(mark.name) + ",\"u\":" + json(mark.u, 6) +
                     ",\"v\":" + json(mark.v, 6) + "}";
        panels += (i > 0 ? ",\n{\"title\":" : "{\"title\":") + json(one.title) + ",\"largest\":" + numbers(largest) +
                  ",\"maps\":[" + maps + "],\"marks\":[" + marks + "],\"labels\":[" + ids + "]}";
    }
    std::string anchors;
    for (auto const& text : figure.anchors) anchors += (anchors.empty() ? "" : ",") + json(text);
    return "{\"u\":" + numbers(figure.grid.u) + ",\"v\":" + numbers(figure.grid.v) +
           ",\"one_scale\":" + (figure.one_scale ? "true" : "false") + ",\"anchors\":[" + anchors + "],\"words\":[" +
           told + "],\n\"panels\":[" + panels + "]}";
}

}  // namespace report

/// Draws slices into a file that the manifest tells; a page, if there is one, has them to walk over. Their likeliest
/// tokens, if there are any, are labels.npy, which has to be written before.
inline void draw(outputs& out, std::string const& name, viz::slice_figure const& figure) {
    if (auto* const page = out.page()) page->add_part("slices", name, report::json(*page, figure));
    out.picture(name, [&](std::ostream& to) { viz::write_slices(figure, to); });
}

}  // namespace plateau::program
