#pragma once
/// A picture of several matrices of signed values, two beside each other.

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/viz/heading.hpp>
#include <plateau/viz/heat_panel.hpp>

namespace plateau::viz {

/// What the picture shows. It grows with its matrices: cells are made 12 pixels wide and 8 high at least, up to 3000
/// pixels a panel.
struct heat_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    std::vector<heat_map> maps = {};
    double scale = 2;  ///< pixels of the file per logical pixel
};

/// @throws shape_error on a matrix without elements, or with another number of labels than columns
/// @post the same figure gives the same bytes
inline canvas render_heat_maps(heat_figure const& figure) {
    constexpr double left = 62, right = 84, head = 78, above = 30, below = 34, foot = 6;
    if (figure.maps.empty()) throw shape_error("a picture of matrices needs one at least");
    index rows = 1, columns = 1;
    for (auto const& map : figure.maps) {
        auto const [r, c] = map.values.extents();
        if (r < 1 || c < 1) throw shape_error("the matrix '", map.title, "' has nothing to show: ", r, " x ", c);
        if (!map.columns.empty()) {
            tensor::require_extents<1>({static_cast<index>(map.columns.size())}, {c}, "the labels of a matrix");
        }
        rows = std::max(rows, r);
        columns = std::max(columns, c);
    }
    double const width = std::clamp(12.0 * static_cast<double>(columns), 330.0, 3000.0);
    double const height = std::clamp(8.0 * static_cast<double>(rows), 230.0, 3000.0);
    auto const lines = (figure.maps.size() + 1) / 2, across = std::min<std::size_t>(figure.maps.size(), 2);
    canvas ruler{1, 1};
    std::vector<double> labels(lines, 10.0);
    for (std::size_t i = 0; i < figure.maps.size(); ++i)
        labels[i / 2] = std::max(labels[i / 2], label_height(ruler, figure.maps[i].columns));
    double total = head + foot;
    for (double const one : labels) total += above + height + 8 + one + below;
    canvas picture{static_cast<double>(across) * (left + width + right), total, figure.scale};

    draw_heading(picture, {left, picture.width() - 24}, figure.title, figure.counts, figure.subtitle);
    double top = head;
    for (std::size_t i = 0; i < figure.maps.size(); ++i) {
        double const x = left + static_cast<double>(i % 2) * (left + width + right);
        draw_heat_map(picture, {x, top + above, width, height}, figure.maps[i]);
        if (i % 2 == 1) top += above + height + 8 + labels[i / 2] + below;
    }
    return picture;
}

/// @throws as render_heat_maps; file_error if the picture cannot be written
inline void write_heat_maps(heat_figure const& figure, std::ostream& out) { render_heat_maps(figure).write_png(out); }

}  // namespace plateau::viz
