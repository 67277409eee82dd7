#pragma once
/// The picture of positive values over surfaces, with lines on them: responses over angles, boundary heat maps.

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/metrics/iso_contour.hpp>
#include <plateau/tensor/view.hpp>
#include <plateau/viz/colour_bar.hpp>
#include <plateau/viz/heading.hpp>
#include <plateau/viz/panel_rows.hpp>
#include <plateau/viz/plane_frame.hpp>
#include <plateau/viz/sequential_colours.hpp>

namespace plateau::viz {

/// A line over a map, in the map's coordinates, and what it is; several pieces may have one name.
struct map_line {
    std::string words;  ///< in the legend; none if empty
    pen with;
    std::vector<std::array<double, 2>> path;  ///< (u, v); a NaN ends a piece
};

/// Values over a grid of its own. Nothing is copied but the texts and the lines.
struct surface_map {
    std::string title;
    map_grid grid;
    tensor::view<double const, 2> values;  ///< [rows, columns] >= 0; row 0 at the bottom; NaN is grey
    std::string across, along;             ///< what u and v are
    std::vector<place_mark> places = {};
    std::vector<map_line> lines = {};
};

/// What the picture shows.
struct surface_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    std::vector<surface_map> maps = {};
    double scale = 2;  ///< pixels of the file per logical pixel
};

/// Cells from 0 to the largest finite value, lines over them, and a colour bar 75 px right of the area.
/// @throws shape_error, domain_error on a map that does not fit its grid, or an uneven grid
inline void draw_surface(canvas& to, rectangle area, surface_map const& map) {
    auto const rows = static_cast<index>(map.grid.v.size()), columns = static_cast<index>(map.grid.u.size());
    tensor::require_extents(map.values.extents(), {rows, columns}, "the values of a map");
    auto const frame = map_axes(area, map.grid);
    double largest = 0;
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            if (std::isfinite(map.values(r, c))) largest = std::max(largest, map.values(r, c));
        }
    }
    sequential_colours const colours{largest > 0 ? largest : 1};
    draw_cells(to, {area, rows, columns}, [&](index r, index c) { return colours(map.values(r, c)); });
    std::vector<legend_entry> legend;
    {
        auto const inside = to.clip(area);
        for (bool const halo : {true, false}) {  // all rims below all lines
            for (auto const& line : map.lines) {
                std::vector<point> path;
                for (auto const& [u, v] : line.path) path.push_back(frame.at(u, v));
                to.line(path, halo ? pen{palette::white.with_alpha(0.8), line.with.width + 1.8} : line.with);
            }
        }
    }
    for (auto const& line : map.lines) {
        if (!line.words.empty()) legend.push_back({line.words, line.with});
    }
    draw_map_frame(to, frame, map.title, map.across, map.along, map.places);
    draw_colour_bar(to, {area.right() + 12, area.top, 11, area.height}, colours);
    draw_legend(to, {area.left, area.bottom() + 58}, area.width + 70, legend);
}

/// All maps, up to three beside each other.
/// @throws shape_error without maps, or as draw_surface      @post the same figure gives the same bytes
inline canvas render_surfaces(surface_figure const& figure) {
    auto const count = static_cast<index>(figure.maps.size());
    if (count == 0) throw shape_error("a picture of surfaces needs a map at least");
    panel_rows place{.count = count, .across = count == 4 ? 2 : 3, .right = 84, .below = 72, .least = 560};
    for (auto const& map : figure.maps) {
        double const wanted = count == 1 ? 440 : 340;
        place.width = std::max(place.width, side_of_cells(map.values.extent(1), wanted));
        place.height = std::max(place.height, side_of_cells(map.values.extent(0), wanted));
    }
    canvas picture{place.total_width(), place.total_height(), figure.scale};
    draw_heading(picture, {place.left, picture.width() - 24}, figure.title, figure.counts, figure.subtitle);
    for (index i = 0; i < count; ++i) draw_surface(picture, place[i], figure.maps[static_cast<std::size_t>(i)]);
    return picture;
}

/// @throws as render_surfaces; file_error if the picture cannot be written
inline void write_surfaces(surface_figure const& figure, std::ostream& out) { render_surfaces(figure).write_png(out); }

/// The pieces of a contour, as the path of a map line.
inline std::vector<std::array<double, 2>> contour_path(std::span<metrics::contour_segment const> segments) {
    std::vector<std::array<double, 2>> path;
    for (auto const& one : segments) path.insert(path.end(), {one.from, one.to, {std::nan(""), std::nan("")}});
    return path;
}

}  // namespace plateau::viz
