#pragma once
/// Coloured cells of a matrix.

#include <algorithm>
#include <cmath>

#include <plateau/core/types.hpp>
#include <plateau/viz/canvas.hpp>

namespace plateau::viz {

/// Edges of cells, between pixels of a file with two of them per logical pixel: no seams. Row 0 is at the bottom.
struct cell_edges {
    rectangle area;
    index rows, columns;

    double x(index c) const {
        return area.left + std::round(2 * area.width / static_cast<double>(columns) * static_cast<double>(c)) / 2;
    }
    double y(index r) const {
        return area.bottom() - std::round(2 * area.height / static_cast<double>(rows) * static_cast<double>(r)) / 2;
    }
    rectangle operator()(index r, index c) const { return {x(c), y(r + 1), x(c + 1) - x(c), y(r) - y(r + 1)}; }
};

/// A side for `count` cells, near `wanted` logical pixels, that gives all of them the same whole number of the file's:
/// at least one.
inline double side_of_cells(index count, double wanted) {
    double const cells = static_cast<double>(std::max<index>(count, 1));
    return cells * std::max(1.0, std::round(2 * wanted / cells)) / 2;
}

/// Fills the cells. @param ink  colour(index row, index column)
template <class Ink>
void draw_cells(canvas& to, cell_edges const& cells, Ink const& ink) {
    for (index r = 0; r < cells.rows; ++r) {
        for (index c = 0; c < cells.columns; ++c) to.fill(cells(r, c), ink(r, c));
    }
}

/// A thin line around an area.
inline void draw_border(canvas& to, rectangle area) {
    to.line({{area.left, area.top},
             {area.right(), area.top},
             {area.right(), area.bottom()},
             {area.left, area.bottom()},
             {area.left, area.top}},
            {palette::quiet_ink, 0.8});
}

}  // namespace plateau::viz
