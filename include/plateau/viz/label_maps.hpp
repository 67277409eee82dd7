#pragma once
/// The picture of label maps over one grid, with what their colours mean.

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/viz/heading.hpp>
#include <plateau/viz/label_panel.hpp>
#include <plateau/viz/panel_rows.hpp>

namespace plateau::viz {

/// What the picture shows.
struct label_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    map_grid grid = {};
    std::vector<label_map> panels = {};
    std::function<std::string(index)> name = [](index label) { return std::to_string(label); };
    double scale = 2;  ///< pixels of the file per logical pixel
};

/// All panels, up to three beside each other, in the same colours, and a legend of the labels that cover most of them
/// all.
/// @throws shape_error without panels or on maps that do not fit the grid; domain_error on an uneven grid or an
/// impossible size
/// @post the same figure gives the same bytes
inline canvas render_labels(label_figure const& figure) {
    auto const count = static_cast<index>(figure.panels.size());
    if (count == 0) throw shape_error("a picture of labels needs a map at least");
    std::vector<tensor::view<index const, 2>> maps;
    for (auto const& panel : figure.panels) maps.push_back(panel.labels);
    label_colours const colours{maps};

    constexpr double legend = 190;
    double const wanted = count == 1 ? 460 : 360;
    panel_rows place{.count = count, .across = 3, .side = legend, .least = 620};
    place.width = side_of_cells(static_cast<index>(figure.grid.u.size()), wanted);
    place.height = side_of_cells(static_cast<index>(figure.grid.v.size()), wanted);
    canvas picture{place.total_width(), place.total_height(), figure.scale};
    draw_heading(picture, {place.left, picture.width() - place.right}, figure.title, figure.counts, figure.subtitle);
    for (index i = 0; i < count; ++i)
        draw_labels(picture, place[i], figure.grid, figure.panels[static_cast<std::size_t>(i)], colours, figure.name);

    double const x = static_cast<double>(place.beside()) * (place.left + place.width + place.right) - 4;
    double y = place.head + place.above + 8;
    text_style const plain{.size = 11, .along = vertical::middle};
    auto number = plain;
    number.ink = palette::quiet_ink;
    number.across = horizontal::right;
    auto const line = [&](colour ink, std::string const& words, double share) {
        rectangle const box{x, y - 6, 18, 12};
        picture.fill(box, ink);
        draw_border(picture, box);
        picture.text({x + 26, y}, fitted(picture, words, legend - 26 - 62, plain), plain);
        picture.text({x + legend - 14, y}, tick_label(100 * share, 0.1) + " %", number);
        y += 19;
    };
    auto const& entries = colours.entries();
    auto const named = std::min(entries.size(), label_colours::named);
    for (std::size_t i = 0; i < named; ++i)
        line(label_colours::hue(i), figure.name(entries[i].label), entries[i].share);
    if (entries.size() > named) {
        double rest = 0;
        for (std::size_t i = named; i < entries.size(); ++i) rest += entries[i].share;
        line(rgb(0xD3D7DC), std::to_string(entries.size() - named) + " others", rest);
    }
    picture.text({x, y + 4}, count > 1 ? "share of all panels" : "share of the panel",
                 {.size = 10, .ink = palette::quiet_ink, .along = vertical::middle});
    return picture;
}

/// @throws as render_labels; file_error if the picture cannot be written
inline void write_labels(label_figure const& figure, std::ostream& out) { render_labels(figure).write_png(out); }

}  // namespace plateau::viz
