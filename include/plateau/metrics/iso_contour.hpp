#pragma once
/// Contours of a map over a rectangle (marching squares).

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/metrics/sampled_curve.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

/// A piece of a contour within one cell of the grid.
struct contour_segment {
    std::array<double, 2> from, to;  ///< (u, v)
};

/// The contour map = level, the map linear along the edges of cells. In a saddle the mean of the four corners decides.
/// Cells with a corner that is no number are left out. Segments come cell by cell, row by row.
/// @param u  [columns] ascending      @param v  [rows] ascending      @param map  [rows, columns], both >= 2
/// @throws shape_error, domain_error      @see Lorensen & Cline 1987, in two dimensions
std::vector<contour_segment> iso_contour(std::span<double const> u, std::span<double const> v,
                                         tensor::view<double const, 2> map, double level);

namespace detail {

/// The edges of a cell, counter-clockwise from the bottom: corners k and k + 1, of (0,0), (1,0), (1,1), (0,1).
inline void add_cell(std::array<double, 4> const& corner, std::array<std::array<double, 2>, 4> const& at, double level,
                     std::vector<contour_segment>& segments) {
    std::array<std::array<double, 2>, 4> crossing{};
    std::array<int, 4> crossed{};
    int count = 0;
    for (int k = 0; k < 4; ++k) {
        auto const a = static_cast<std::size_t>(k), b = static_cast<std::size_t>((k + 1) % 4);
        if (std::isnan(corner[a])) return;
        if ((corner[a] >= level) == (corner[b] >= level)) continue;
        double const share = (level - corner[a]) / (corner[b] - corner[a]);
        crossing[a] = {at[a][0] + share * (at[b][0] - at[a][0]), at[a][1] + share * (at[b][1] - at[a][1])};
        crossed[static_cast<std::size_t>(count++)] = k;
    }
    auto const join = [&](int k, int l) {
        segments.push_back({crossing[static_cast<std::size_t>(k)], crossing[static_cast<std::size_t>(l)]});
    };
    if (count == 2) join(crossed[0], crossed[1]);
    if (count == 4) {  // around the corners that are not on the side of the middle
        bool const middle = (corner[0] + corner[1] + corner[2] + corner[3]) / 4 >= level;
        if ((corner[0] >= level) == middle) {
            join(0, 1), join(2, 3);
        } else {
            join(3, 0), join(1, 2);
        }
    }
}

}  // namespace detail

inline std::vector<contour_segment> iso_contour(std::span<double const> u, std::span<double const> v,
                                                tensor::view<double const, 2> map, double level) {
    tensor::require_extents(map.extents(), {static_cast<index>(v.size()), static_cast<index>(u.size())}, "a map");
    require_curve(u, u);
    require_curve(v, v);
    std::vector<contour_segment> segments;
    for (std::size_t row = 0; row + 1 < v.size(); ++row) {
        for (std::size_t column = 0; column + 1 < u.size(); ++column) {
            auto const r = static_cast<index>(row), c = static_cast<index>(column);
            detail::add_cell(
                {map(r, c), map(r, c + 1), map(r + 1, c + 1), map(r + 1, c)},
                {{{u[column], v[row]}, {u[column + 1], v[row]}, {u[column + 1], v[row + 1]}, {u[column], v[row + 1]}}},
                level, segments);
        }
    }
    return segments;
}

}  // namespace plateau::metrics
