#pragma once
/// Grids of points along a path, and on a surface.

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/paths/concepts.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::paths {

/// `count` even numbers from first to last, both included exactly: first + (last − first) · i / (count − 1).
/// @throws usage_error if count < 2      @see numpy.linspace
inline std::vector<double> even_grid(double first, double last, index count) {
    if (count < 2) throw usage_error("a grid needs at least 2 points, got ", count);
    std::vector<double> grid(static_cast<std::size_t>(count));
    double const intervals = static_cast<double>(count - 1);
    for (std::size_t i = 0; i < grid.size(); ++i)
        grid[i] = first + (last - first) * (static_cast<double>(i) / intervals);
    grid.back() = last;
    return grid;
}

/// `count` numbers first, first + step, …: a sweep of lengths. @throws usage_error if count < 1
inline std::vector<double> step_grid(double first, double step, index count) {
    if (count < 1) throw usage_error("a sweep needs at least 1 step, got ", count);
    std::vector<double> grid(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = first + static_cast<double>(i) * step;
    return grid;
}

/// A rectangular grid of a surface: columns run along u, rows along v, point (row, column) has number row · columns +
/// column.
struct surface_grid {
    std::vector<double> u;  ///< [columns]
    std::vector<double> v;  ///< [rows]

    index columns() const { return static_cast<index>(u.size()); }
    index rows() const { return static_cast<index>(v.size()); }
    index size() const { return rows() * columns(); }
    /// (u, v) of a point. @pre 0 <= number < size()
    std::array<double, 2> operator[](index number) const {
        return {u[static_cast<std::size_t>(number % columns())], v[static_cast<std::size_t>(number / columns())]};
    }
};

/// All points of a path at the fractions of a grid. @param out  [M, D]      @throws shape_error unless M is the grid's
/// size
template <class T, class Along>
    requires Path<Along, T>
void write_points(Along const& path, std::span<double const> grid, tensor::view<T, 2> out) {
    tensor::require_extents(out.extents(), {static_cast<index>(grid.size()), out.extent(1)}, "the points of a path");
    for (std::size_t i = 0; i < grid.size(); ++i) path(grid[i], out[static_cast<index>(i)].flat());
}

/// All points of a surface, row by row. @param out  [rows · columns, D]      @throws shape_error
template <class T, class On>
    requires Surface<On, T>
void write_points(On const& surface, surface_grid const& grid, tensor::view<T, 2> out) {
    tensor::require_extents(out.extents(), {grid.size(), out.extent(1)}, "the points of a surface");
    for (index i = 0; i < grid.size(); ++i) surface(grid[i][0], grid[i][1], out[i].flat());
}

}  // namespace plateau::paths
