#pragma once
/// A picture of named curves with their intervals: what a number does along an axis, for several kinds of things.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/viz/axes.hpp>
#include <plateau/viz/heading.hpp>

namespace plateau::viz {

/// One curve, or one cloud of points. A value that is not finite (or not positive, on a logarithmic axis) interrupts
/// it.
struct labelled_curve {
    std::string label;             ///< in the legend; empty: not there
    std::vector<double> x, y;      ///< [S]
    std::vector<double> low = {};  ///< [S] interval of y, drawn as a band; empty: none
    std::vector<double> high = {};
    bool points = false;  ///< a dot at every point; without `line` a scatter plot
    bool line = true;
    bool dashed = false;
    std::optional<colour> ink = {};  ///< by default the next of the palette
};

/// The curve of estimates: their values, and their intervals as a band.
inline labelled_curve curve_of(std::string label, std::vector<double> x, std::vector<statistics::estimate> const& y) {
    labelled_curve curve{.label = std::move(label), .x = std::move(x), .y = {}};
    for (auto const& one : y) {
        curve.y.push_back(one.value);
        curve.low.push_back(one.low);
        curve.high.push_back(one.high);
    }
    return curve;
}

/// One axis.
struct curve_axis {
    std::string label;
    bool logarithmic = false;
    std::optional<interval> range = {};  ///< by default what the curves need
};

/// A straight line for comparison: y = value, or x = value if `upright`, or y = x if `diagonal`.
struct reference_line {
    double value = 0;
    bool upright = false;
    bool diagonal = false;
    std::string label = {};
};

struct labelled_panel {
    std::string title = {};
    curve_axis x, y;
    std::vector<labelled_curve> curves;
    std::vector<reference_line> references = {};
};

/// Panels beside each other, `across` in a row.
struct labelled_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    std::vector<labelled_panel> panels = {};
    int across = 2;
    double panel_width = 400;  ///< of the plot area, logical pixels
    double panel_height = 260;
    double scale = 2;  ///< pixels of the file per logical pixel
};

/// Inks of curves 0, 1, …: hues after Okabe & Ito, from the darkest contrast on; the eighth is like the first.
inline colour series_ink(std::size_t i) {
    static constexpr std::array inks{palette::blue, palette::vermillion, rgb(0x009E73), rgb(0xCC79A7),
                                     rgb(0xE69F00), palette::sky_blue,   palette::grey};
    return inks[i % inks.size()];
}

namespace detail {

inline double on_axis(curve_axis const& axis, double value) {
    if (!axis.logarithmic) return value;
    return value > 0 ? std::log10(value) : std::numeric_limits<double>::quiet_NaN();
}

/// What an axis has to show, with a margin. @param values  calls its argument with every value
template <class Values>
interval range_of(curve_axis const& axis, double margin, Values const& values) {
    if (axis.range) return {on_axis(axis, axis.range->low), on_axis(axis, axis.range->high)};
    interval range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    values([&](double value) {
        double const place = on_axis(axis, value);
        if (!std::isfinite(place)) return;
        range.low = std::min(range.low, place);
        range.high = std::max(range.high, place);
    });
    if (!(range.low <= range.high)) return {0, 1};
    if (range.low == range.high) return {range.low - 0.5, range.high + 0.5};
    double const more = margin * range.length();
    return {range.low - more, range.high + more};
}

inline pen pen_of(labelled_curve const& curve, colour ink) {
    return curve.dashed ? pen{ink, 1.8, {6, 4}} : pen{ink, 2};
}

inline std::vector<legend_entry> legend_of(labelled_panel const& panel) {
    std::vector<legend_entry> entries;
    for (std::size_t i = 0; i < panel.curves.size(); ++i) {
        auto const& curve = panel.curves[i];
        auto const ink = curve.ink.value_or(series_ink(i));
        if (!curve.label.empty()) entries.push_back({curve.label, pen_of(curve, ink), !curve.line});
    }
    for (auto const& line : panel.references) {
        if (!line.label.empty()) entries.push_back({line.label, {palette::ink.with_alpha(0.75), 1.2, {2, 3}}});
    }
    return entries;
}

inline void draw_labelled_curve(canvas& to, axes const& frame, labelled_panel const& panel, labelled_curve const& curve,
                                colour ink) {
    auto const at = [&](std::size_t i, double y) {
        return frame.at(on_axis(panel.x, curve.x[i]), on_axis(panel.y, y));
    };
    for (std::size_t i = 0; i + 1 < curve.low.size(); ++i) {  // piece by piece, so that a gap stays one
        std::array const piece{at(i, curve.low[i]), at(i + 1, curve.low[i + 1]), at(i + 1, curve.high[i + 1]),
                               at(i, curve.high[i])};
        if (std::all_of(piece.begin(), piece.end(), [](point p) { return std::isfinite(p.x) && std::isfinite(p.y); })) {
            to.fill(piece, ink.with_alpha(0.16));
        }
    }
    std::vector<point> points;
    for (std::size_t i = 0; i < curve.x.size(); ++i) points.push_back(at(i, curve.y[i]));
    if (curve.line) to.line(points, pen_of(curve, ink));
    if (!curve.points && curve.x.size() > 1) return;
    double const half = curve.line ? 2.6 : 2;
    for (point const& p : points) {
        if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
        std::array const diamond{point{p.x - half, p.y}, point{p.x, p.y - half}, point{p.x + half, p.y},
                                 point{p.x, p.y + half}};
        to.fill(diamond, curve.line ? ink : ink.with_alpha(0.55));
    }
}

}  // namespace detail

/// @param area  the plot area; labels take 60 px left of it and 45 below
inline void draw_labelled_curves(canvas& to, rectangle area, labelled_panel const& panel) {
    using detail::on_axis;
    auto const x = detail::range_of(panel.x, 0.02, [&](auto const& take) {
        for (auto const& curve : panel.curves) std::for_each(curve.x.begin(), curve.x.end(), take);
    });
    auto const y = detail::range_of(panel.y, 0.05, [&](auto const& take) {
        for (auto const& curve : panel.curves) {
            for (auto const* values : {&curve.y, &curve.low, &curve.high})
                std::for_each(values->begin(), values->end(), take);
        }
        for (auto const& line : panel.references) {
            if (!line.upright && !line.diagonal) take(line.value);
        }
    });
    axes const frame{area, x, y};
    auto const across = panel.x.logarithmic ? log_ticks_of(x, 7) : ticks_of(x, 7),
               along = panel.y.logarithmic ? log_ticks_of(y, 6) : ticks_of(y, 6);
    frame.draw_grid(to, across, along);
    {
        auto const inside = to.clip({area.left - 3, area.top - 3, area.width + 6, area.height + 6});
        pen const dotted{palette::ink.with_alpha(0.75), 1.2, {2, 3}};
        for (auto const& line : panel.references) {
            double const at = on_axis(line.upright ? panel.x : panel.y, line.value);
            if (line.diagonal)
                to.line({frame.at(std::max(x.low, y.low), std::max(x.low, y.low)),
                         frame.at(std::min(x.high, y.high), std::min(x.high, y.high))},
                        dotted);
            else if (line.upright) to.line({{frame.x(at), area.top}, {frame.x(at), area.bottom()}}, dotted);
            else to.line({{area.left, frame.y(at)}, {area.right(), frame.y(at)}}, dotted);
        }
        for (std::size_t i = 0; i < panel.curves.size(); ++i) {
            detail::draw_labelled_curve(to, frame, panel, panel.curves[i], panel.curves[i].ink.value_or(series_ink(i)));
        }
    }
    frame.draw_frame(to, across, along, panel.x.label, panel.y.label);
}

/// @throws shape_error without panels, or where x, y and an interval differ in length; domain_error on an impossible
/// size
/// @post the same figure gives the same bytes
inline canvas render_labelled_curves(labelled_figure const& figure) {
    constexpr double left = 74, right = 28, head = 72, below = 56, title = 24, row = 16;
    if (figure.panels.empty() || figure.across < 1) throw shape_error("a picture of curves needs at least one panel");
    for (auto const& panel : figure.panels) {
        for (auto const& curve : panel.curves) {
            bool const even = curve.x.size() == curve.y.size() && curve.low.size() == curve.high.size();
            if (even && (curve.low.empty() || curve.low.size() == curve.x.size())) continue;
            throw shape_error("the curve '", curve.label, "' has ", curve.x.size(), " places, ", curve.y.size(),
                              " values and ", curve.low.size(), " and ", curve.high.size(), " bounds");
        }
    }
    auto const across = std::min(figure.panels.size(), static_cast<std::size_t>(figure.across));
    canvas ruler{1, 1};
    std::vector<double> above((figure.panels.size() + across - 1) / across, 0.0);  // by row of panels
    for (std::size_t i = 0; i < figure.panels.size(); ++i) {
        auto const layout = lay_out_legend(ruler, figure.panel_width, detail::legend_of(figure.panels[i]));
        above[i / across] =
            std::max(above[i / across], (figure.panels[i].title.empty() ? 0 : title) + row * layout.rows + 8);
    }
    double height = head;
    for (double const one : above) height += one + figure.panel_height + below;
    double const column = left + figure.panel_width + right;
    canvas picture{static_cast<double>(across) * column, height, figure.scale};
    draw_heading(picture, {left, picture.width() - right}, figure.title, figure.counts, figure.subtitle);
    double top = head;
    for (std::size_t i = 0; i < figure.panels.size(); ++i) {
        auto const& panel = figure.panels[i];
        double const from = static_cast<double>(i % across) * column + left;
        auto const entries = detail::legend_of(panel);
        auto const layout = lay_out_legend(picture, figure.panel_width, entries);
        double const area_top = top + above[i / across], first = area_top - 14 - row * (layout.rows - 1);
        text_style const bold{.size = 12, .bold = true};
        picture.text({from, layout.rows > 0 ? first - 16 : area_top - 10},
                     fitted(picture, panel.title, figure.panel_width, bold), bold);
        for (std::size_t k = 0; k < entries.size(); ++k)
            draw_legend_entry(picture, {from + layout.places[k].x, first + layout.places[k].y}, entries[k]);
        draw_labelled_curves(picture, {from, area_top, figure.panel_width, figure.panel_height}, panel);
        if (i % across + 1 == across) top += above[i / across] + figure.panel_height + below;
    }
    return picture;
}

/// @throws as render_labelled_curves; file_error if the picture cannot be written
inline void write_labelled_curves(labelled_figure const& figure, std::ostream& out) {
    render_labelled_curves(figure).write_png(out);
}

}  // namespace plateau::viz
