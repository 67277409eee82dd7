#pragma once
/// Labels over a 2-D slice: connected regions, their areas, and the boundaries between labels.

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/disjoint_sets.hpp>
#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

/// The connected regions of equal labels; neighbours are left, right, above and below.
template <class Label>
struct label_regions {
    std::vector<index> region;  ///< [rows · columns] number of each point's region, in order of first appearance
    std::vector<Label> label;   ///< [regions]
    std::vector<index> area;    ///< [regions] points

    index count() const { return static_cast<index>(label.size()); }
};

/// Numbers the connected components of a map of labels (union-find over rows). @param labels  [rows, columns]
template <class Label>
label_regions<Label> regions_of(tensor::view<Label const, 2> labels) {
    index const rows = labels.extent(0), columns = labels.extent(1);
    disjoint_sets points{rows * columns};
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            index const here = r * columns + c;
            if (c > 0 && labels(r, c - 1) == labels(r, c)) points.merge(here, here - 1);
            if (r > 0 && labels(r - 1, c) == labels(r, c)) points.merge(here, here - columns);
        }
    }
    label_regions<Label> result;
    result.region.resize(static_cast<std::size_t>(rows * columns));
    for (index i = 0; i < rows * columns; ++i) {
        index const top = points.smallest(i);  // never a later point
        if (top == i) {
            result.region[static_cast<std::size_t>(i)] = result.count();
            result.label.push_back(labels(i / columns, i % columns));
            result.area.push_back(0);
        } else {
            result.region[static_cast<std::size_t>(i)] = result.region[static_cast<std::size_t>(top)];
        }
        ++result.area[static_cast<std::size_t>(result.region[static_cast<std::size_t>(i)])];
    }
    return result;
}

/// How long the boundary between two labels is.
template <class Label>
struct label_boundary {
    Label a, b;  ///< a < b
    double length;
};

/// The boundaries between different labels, by (a, b) ascending: each pair of neighbouring points that differ adds one
/// side of a cell. The length is that of a staircase: of a straight boundary at angle θ, |cos θ| + |sin θ| times the
/// true length, 4/π on average over θ; `iso_contour` of a difference of logits gives true lengths.
/// @param labels  [rows, columns]      @param du,dv  distance of columns, of rows
template <class Label>
std::vector<label_boundary<Label>> boundaries_of(tensor::view<Label const, 2> labels, double du, double dv) {
    std::vector<label_boundary<Label>> sides;
    auto const add = [&](Label x, Label y, double length) {
        if (x == y) return;
        auto const before = [&](auto const& side, auto const& pair) {
            return side.a < pair.first || (side.a == pair.first && side.b < pair.second);
        };
        std::pair<Label, Label> const pair{std::min(x, y), std::max(x, y)};
        auto const at = std::lower_bound(sides.begin(), sides.end(), pair, before);
        if (at != sides.end() && at->a == pair.first && at->b == pair.second) at->length += length;
        else sides.insert(at, {pair.first, pair.second, length});
    };
    for (index r = 0; r < labels.extent(0); ++r) {
        for (index c = 0; c < labels.extent(1); ++c) {
            if (c > 0) add(labels(r, c - 1), labels(r, c), dv);
            if (r > 0) add(labels(r - 1, c), labels(r, c), du);
        }
    }
    return sides;
}

}  // namespace plateau::metrics
