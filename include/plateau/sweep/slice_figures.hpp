#pragma once
/// Figures of slices: panels in colours, and label maps in words.

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/csv.hpp>
#include <plateau/sweep/label_slice.hpp>
#include <plateau/viz/label_maps.hpp>
#include <plateau/viz/slices.hpp>

namespace plateau::sweep {

/// A slice among others.
struct named_slice : label_slice {
    std::string name = {};  ///< empty for a single one
};

/// The name of one of several triples.
inline std::string prompts_text(std::array<index, 3> const& anchors) {
    return concat({"prompts ", anchors[0], ", ", anchors[1], ", ", anchors[2]});
}

/// A, B and C at their places.
inline std::vector<viz::place_mark> anchor_marks(label_slice const& one) {
    std::vector<viz::place_mark> marks;
    for (std::size_t k = 0; k < 3; ++k)
        marks.push_back({std::string(1, "ABC"[k]), one.slice.anchors[k][0], one.slice.anchors[k][1]});
    return marks;
}

/// One panel a slice; the slices have to live as long.
inline std::vector<viz::slice_map> slice_panels(std::span<named_slice const> slices) {
    std::vector<viz::slice_map> panels;
    for (auto const& one : slices) {
        auto const map = [&](index k) { return tensor::view<double const, 2>(one.slice.distances[k]); };
        panels.push_back({one.name, {map(0), map(1), map(2)}, anchor_marks(one)});
    }
    return panels;
}

/// The label maps of a slice in its three contexts. @param words  of the tokens; slice and words have to live as long
inline viz::label_figure label_figure(named_slice const& one, viz::map_grid grid,
                                      std::map<index, std::string> const& words) {
    viz::label_figure figure{.subtitle = one.name.empty() ? "" : ", " + one.name,
                             .grid = grid,
                             .name = [&words](index token) { return "“" + words.at(token) + "”"; }};
    for (index k = 0; k < 3; ++k) {
        index const regions = one.components[static_cast<std::size_t>(k)];
        figure.panels.push_back({concat({"in the context of ", std::string(1, "ABC"[k]), ": ", regions,
                                         regions == 1 ? " region" : " regions"}),
                                 one.labels[k], anchor_marks(one)});
    }
    return figure;
}

/// Lines `slice,checkpoint,a,b,c,c_alpha,largest_d_a,largest_d_b,largest_d_c` and, of slices with labels,
/// `components_a,…,boundary_c` below a head line. @param alone  the name of a slice that has none
inline std::string slices_csv(std::span<named_slice const> slices, std::string const& alone) {
    bool const labels = !slices.empty() && slices[0].labels.size() > 0;
    std::string text = "slice,checkpoint,a,b,c,c_alpha,largest_d_a,largest_d_b,largest_d_c";
    text += labels ? ",components_a,components_b,components_c,boundary_a,boundary_b,boundary_c\n" : "\n";
    for (std::size_t i = 0; i < slices.size(); ++i) {
        auto const& one = slices[i];
        auto const& [a, b, c] = one.anchors;
        auto const& components = one.components;
        text += csv_line(i, alone.empty() ? one.name : alone, a, b, c, one.slice.anchors[2][0], one.largest[0],
                         one.largest[1], one.largest[2]);
        if (!labels) continue;
        text.back() = ',';
        text +=
            csv_line(components[0], components[1], components[2], one.boundary[0], one.boundary[1], one.boundary[2]);
    }
    return text;
}

}  // namespace plateau::sweep
