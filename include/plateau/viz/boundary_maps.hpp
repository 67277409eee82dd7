#pragma once
/// A picture of boundary maps: distances over a plane through A, B and a mean, and the boundary that is predicted.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/metrics/iso_contour.hpp>
#include <plateau/tensor/buffer.hpp>
#include <plateau/viz/surface_maps.hpp>

namespace plateau::viz {

/// One map a context, A first, each with the contour at half of its largest distance.
/// @param distances    [K, rows, columns], K <= 2, over `grid`, α across, β upwards; has to live as long as the maps
/// @param alpha_mean   α of the mean, which lies at β = −1      @param alpha_jump  α of the bisector on the line AB
inline std::vector<surface_map> boundary_maps(tensor::buffer<double, 3> const& distances, map_grid grid,
                                              double alpha_mean, double alpha_jump) {
    std::vector<surface_map> maps;
    for (index k = 0; k < distances.extent(0); ++k) {
        auto const map = tensor::view<double const, 2>(distances[k]);
        auto const flat = distances[k].flat();
        double const half = *std::max_element(flat.begin(), flat.end()) / 2;
        surface_map one{std::string("in the context of ") + "AB"[k], grid, map, "α  (from A to B)",
                        "β  (away from the mean m)"};
        one.places = {{"A", 0, 0}, {"B", 1, 0}, {"m", alpha_mean, -1}};
        one.lines.push_back({"half of the largest distance",
                             {palette::vermillion, 1.6},
                             contour_path(metrics::iso_contour(grid.u, grid.v, map, half))});
        one.lines.push_back(
            {"bisector at m", {palette::ink, 1.4, {5, 3.5}}, {{alpha_mean, -1}, {2 * alpha_jump - alpha_mean, 1}}});
        maps.push_back(std::move(one));
    }
    return maps;
}

}  // namespace plateau::viz
