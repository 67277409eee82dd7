#pragma once
/// Pictures of named curves that a page shows to touch as well.

#include <array>
#include <cstddef>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/program/outputs.hpp>
#include <plateau/program/report/spelling.hpp>
#include <plateau/viz/labelled_curves.hpp>

namespace plateau::program {

namespace report {

/// "#0072b2"
inline std::string css(viz::colour const& ink) {
    std::string text = "#";
    for (double const part : {ink.red, ink.green, ink.blue}) {
        auto const level = static_cast<unsigned>(part * 255 + 0.5);
        (text += "0123456789abcdef"[level >> 4 & 15u]) += "0123456789abcdef"[level & 15u];
    }
    return text;
}

inline std::string json(std::vector<double> const& values) {
    std::string text;
    for (double const one : values) text += (text.empty() ? "" : ",") + json(one, 5);
    return "[" + text + "]";
}

inline std::string json(viz::curve_axis const& axis) {
    auto const range = axis.range ? json(std::vector{axis.range->low, axis.range->high}) : "null";
    return "{\"label\":" + json(axis.label) + ",\"log\":" + (axis.logarithmic ? "true" : "false") +
           ",\"range\":" + range + "}";
}

inline std::string json(viz::labelled_panel const& panel) {
    auto const flag = [](char const* name, bool is) {
        return std::string(",\"") + name + "\":" + (is ? "true" : "false");
    };
    std::string curves, lines;
    for (std::size_t i = 0; i < panel.curves.size(); ++i) {
        auto const& one = panel.curves[i];
        curves += std::string(i > 0 ? ",\n" : "") + "{\"label\":" + json(one.label) + ",\"ink\":\"" +
                  css(one.ink.value_or(viz::series_ink(i))) + "\"" + flag("points", one.points) +
                  flag("line", one.line) + flag("dashed", one.dashed) + ",\"x\":" + json(one.x) +
                  ",\"y\":" + json(one.y) + ",\"low\":" + json(one.low) + ",\"high\":" + json(one.high) + "}";
    }
    for (auto const& one : panel.references)
        lines += std::string(lines.empty() ? "" : ",") + "{\"value\":" + json(one.value, 5) +
                 flag("upright", one.upright) + flag("diagonal", one.diagonal) + ",\"label\":" + json(one.label) + "}";
    return "{\"title\":" + json(panel.title) + ",\"x\":" + json(panel.x) + ",\"y\":" + json(panel.y) + ",\"curves\":[" +
           curves + "],\"lines\":[" + lines + "]}";
}

}  // namespace report

/// Draws a picture of curves into a file that the manifest tells; a page, if there is one, has them to hover over.
inline void draw(outputs& out, std::string const& name, viz::labelled_figure const& figure) {
    if (auto* const page = out.page()) {
        std::string panels;
        std::size_t points = 0;
        for (auto const& panel : figure.panels) {
            for (auto const& curve : panel.curves) points += curve.x.size();
            panels += (panels.empty() ? "" : ",\n") + report::json(panel);
        }
        constexpr std::size_t most = 100'000;
        if (points <= most) page->add_part("charts", name, "{\"panels\":[" + panels + "]}");
        else page->leave_out("the curves of " + name + " to touch (" + std::to_string(points) + " points)");
    }
    out.picture(name, [&](std::ostream& to) { viz::write_labelled_curves(figure, to); });
}

}  // namespace plateau::program
