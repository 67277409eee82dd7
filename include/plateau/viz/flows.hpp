#pragma once
/// A picture of flows: groups of the same things in columns, and how things pass from group to group.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/viz/heading.hpp>

namespace plateau::viz {

/// A group: a bar as high as it is large.
struct flow_bar {
    double size;  ///< > 0
    colour ink;
    std::string name = {};  ///< beside the bar, where it has room
};

/// Groups from top to bottom.
struct flow_column {
    std::string label;
    std::vector<flow_bar> bars;
};

/// What passes from a bar of one column to a bar of the next, by number. The bands of a bar take no more than its size.
struct flow_band {
    std::size_t from, to;
    double size;  ///< > 0
};

struct flow_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    std::string columns_name = {};  ///< below their labels
    std::vector<flow_column> columns = {};
    std::vector<std::vector<flow_band>> bands = {};  ///< [columns − 1]
    std::string note = {};                           ///< the last line
    double column_width = 118;                       ///< from bar to bar, logical pixels
    double height = 420;                             ///< of the columns
    double scale = 2;
};

namespace detail {

struct placed_bar {
    double top, height;
};

/// Where bars stand: all columns on one scale, gaps between bars, the column in the middle of the area.
inline std::vector<std::vector<placed_bar>> place_bars(flow_figure const& figure, double top) {
    constexpr double gap = 4;
    double scale = INFINITY;
    for (auto const& column : figure.columns) {
        double total = 0;
        for (auto const& bar : column.bars) total += bar.size;
        double const gaps = gap * static_cast<double>(column.bars.size() - 1);
        scale = std::min(scale, std::max(figure.height - gaps, figure.height / 4) / total);
    }
    std::vector<std::vector<placed_bar>> all;
    for (auto const& column : figure.columns) {
        auto& bars = all.emplace_back();
        double y = top;
        for (auto const& bar : column.bars) {
            bars.push_back({y, bar.size * scale});
            y += bar.size * scale + gap;
        }
        double const down = (top + figure.height - (y - gap)) / 2;
        for (auto& bar : bars) bar.top += std::max(down, 0.0);
    }
    return all;
}

/// A band from one upright side to another, both its edges like an S.
inline void draw_band(canvas& to, placed_bar const& left, double x, placed_bar const& right, double end, colour ink) {
    constexpr int pieces = 24;
    std::vector<point> outline;
    auto const edge = [&](double from, double upto, bool back) {
        for (int i = 0; i <= pieces; ++i) {
            double const t = static_cast<double>(back ? pieces - i : i) / pieces, s = t * t * (3 - 2 * t);
            outline.push_back({x + t * (end - x), from + s * (upto - from)});
        }
    };
    edge(left.top, right.top, false);
    edge(left.top + left.height, right.top + right.height, true);
    to.fill(outline, ink);
}

inline void require_figure(flow_figure const& figure) {
    if (figure.columns.empty() || figure.bands.size() + 1 != figure.columns.size())
        throw shape_error("a picture of flows needs columns and bands between them, got ", figure.columns.size(),
                          " and ", figure.bands.size());
    for (auto const& column : figure.columns) {
        bool const sound = std::ranges::all_of(column.bars, [](flow_bar const& bar) { return bar.size > 0; });
        if (column.bars.empty() || !sound) throw shape_error("the column '", column.label, "' needs bars of a size");
    }
    for (std::size_t c = 0; c < figure.bands.size(); ++c) {
        for (auto const& band : figure.bands[c]) {
            if (band.from >= figure.columns[c].bars.size() || band.to >= figure.columns[c + 1].bars.size())
                throw shape_error("a band behind the column '", figure.columns[c].label, "' has no bar at one end");
        }
    }
}

}  // namespace detail

/// Bars in columns; bands between them in the colour of the bar that they come from, stacked in the order of their
/// other ends, so that those of one bar do not cross.
/// @throws shape_error without columns, on a column without bars, a bar without a size, a band without its bars;
/// domain_error on an impossible size
/// @post the same figure gives the same bytes
inline canvas render_flows(flow_figure const& figure) {
    constexpr double left = 30, right = 96, head = 92, bar_width = 13;
    detail::require_figure(figure);
    auto const columns = figure.columns.size();
    double const below = (figure.columns_name.empty() ? 20 : 38) + (figure.note.empty() ? 10.0 : 26.0);
    double const width =
        std::max(left + figure.column_width * static_cast<double>(columns - 1) + bar_width + right, 480.0);
    canvas picture{width, head + figure.height + below, figure.scale};
    draw_heading(picture, {left, width - 28}, figure.title, figure.counts, figure.subtitle);
    auto const bars = detail::place_bars(figure, head);
    auto const x = [&](std::size_t c) { return left + figure.column_width * static_cast<double>(c); };
    for (std::size_t c = 0; c + 1 < columns; ++c) {
        auto const& bands = figure.bands[c];
        double const share = bars[c][0].height / figure.columns[c].bars[0].size;
        std::vector<detail::placed_bar> begins(bands.size()), ends(bands.size());
        std::vector<std::size_t> order(bands.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        auto const stack = [&](auto own, auto other, std::vector<detail::placed_bar> const& of, auto& places) {
            std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
                return std::pair{bands[a].*own, bands[a].*other} < std::pair{bands[b].*own, bands[b].*other};
            });
            std::vector<double> used(of.size(), 0.0);
            for (std::size_t const b : order) {
                auto const at = bands[b].*own;
                places[b] = {of[at].top + used[at], bands[b].size * share};
                used[at] += bands[b].size * share;
            }
        };
        stack(&flow_band::from, &flow_band::to, bars[c], begins);
        stack(&flow_band::to, &flow_band::from, bars[c + 1], ends);
        for (std::size_t b = 0; b < bands.size(); ++b) {
            auto const ink = figure.columns[c].bars[bands[b].from].ink.with_alpha(0.42);
            detail::draw_band(picture, begins[b], x(c) + bar_width, ends[b], x(c + 1), ink);
        }
    }
    text_style const name{.size = 10.5, .along = vertical::middle};
    text_style const quiet{.size = 11, .ink = palette::quiet_ink, .across = horizontal::centre, .along = vertical::top};
    for (std::size_t c = 0; c < columns; ++c) {
        double const room = c + 1 < columns ? figure.column_width - bar_width - 12 : right - 12;
        for (std::size_t b = 0; b < bars[c].size(); ++b) {
            auto const& [top, height] = bars[c][b];
            auto const& bar = figure.columns[c].bars[b];
            picture.fill(rectangle{x(c), top, bar_width, std::max(height, 0.6)}, bar.ink);
            if (height < 10.5 || bar.name.empty()) continue;
            picture.text({x(c) + bar_width + 5, top + height / 2}, fitted(picture, bar.name, room, name), name);
        }
        picture.text({x(c) + bar_width / 2, head + figure.height + 10}, figure.columns[c].label, quiet);
    }
    double y = head + figure.height + 27;
    auto below_all = quiet;
    below_all.across = horizontal::left;
    if (!figure.columns_name.empty()) picture.text({left, y}, figure.columns_name, below_all), y += 18;
    if (!figure.note.empty())
        picture.text({left, y}, fitted(picture, figure.note, width - left - 20, below_all), below_all);
    return picture;
}

/// @throws as render_flows; file_error if the picture cannot be written
inline void write_flows(flow_figure const& figure, std::ostream& out) { render_flows(figure).write_png(out); }

}  // namespace plateau::viz
