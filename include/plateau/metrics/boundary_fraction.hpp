#pragma once
/// Boundary fraction of a label map: how much of it lies between regions.

#include <plateau/metrics/label_map.hpp>

namespace plateau::metrics {

/// Neighbouring points of a square map whose labels differ, over all 2 G (G − 1) neighbours. @param map  [G, G], G >= 2
template <class Label>
double boundary_fraction(tensor::view<Label const, 2> map) {
    double differ = 0;
    for (auto const& side : boundaries_of(map, 1, 1)) differ += side.length;
    return differ / static_cast<double>(2 * map.extent(0) * (map.extent(0) - 1));
}

}  // namespace plateau::metrics
