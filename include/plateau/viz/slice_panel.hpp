#pragma once
/// The panel of a 2-D slice: three distances as red, green and blue.

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <plateau/tensor/view.hpp>
#include <plateau/viz/plane_frame.hpp>

namespace plateau::viz {

/// d_A, d_B, d_C over one grid. Nothing is copied but the texts.
struct slice_map {
    std::string title;
    std::array<tensor::view<double const, 2>, 3> distances;  ///< [rows, columns] each; row 0 at the bottom
    std::vector<place_mark> anchors;
};

/// The largest of each distance over a grid; 0 if nothing of it is finite.
inline std::array<double, 3> largest_of(std::array<tensor::view<double const, 2>, 3> const& distances) {
    std::array<double, 3> largest{};
    for (std::size_t k = 0; k < 3; ++k) {
        for (index r = 0; r < distances[k].extent(0); ++r) {
            for (index c = 0; c < distances[k].extent(1); ++c) {
                double const value = distances[k](r, c);
                if (std::isfinite(value)) largest[k] = std::max(largest[k], value);
            }
        }
    }
    return largest;
}

/// RGB = 1 − d / largest: red where the read-out is that of A's own run, green B's, blue C's; black far from all three,
/// white near all. Beyond `largest` as at it; where the largest is 0 as at no distance; grey where a distance is not a
/// number.
/// @see Janiak et al. 2024, figure 1
inline colour slice_colour(std::array<double, 3> const& distance, std::array<double, 3> const& largest) {
    std::array<double, 3> nearness{};
    for (std::size_t k = 0; k < 3; ++k) {
        if (std::isnan(distance[k])) return palette::grey;
        nearness[k] = largest[k] > 0 ? 1 - std::clamp(distance[k] / largest[k], 0.0, 1.0) : 1;
    }
    return {nearness[0], nearness[1], nearness[2]};
}

/// @param area     of the cells; the axes take 62 px left of it and 46 below, the title 20 above
/// @param largest  what each distance is divided by: `largest_of` the panel, or one for a whole series, whose colours
/// compare
/// @throws shape_error, domain_error on maps that do not fit the grid, or a grid that is not even
inline void draw_slice(canvas& to, rectangle area, map_grid const& grid, slice_map const& map,
                       std::array<double, 3> const& largest) {
    auto const rows = static_cast<index>(grid.v.size()), columns = static_cast<index>(grid.u.size());
    for (auto const& one : map.distances)
        tensor::require_extents(one.extents(), {rows, columns}, "a distance of a slice");
    auto const frame = map_axes(area, grid);
    draw_cells(to, {area, rows, columns}, [&](index r, index c) {
        return slice_colour({map.distances[0](r, c), map.distances[1](r, c), map.distances[2](r, c)}, largest);
    });
    draw_map_frame(to, frame, map.title, "α  (from A to B)", "β  (towards C)", map.anchors);
}

}  // namespace plateau::viz
