#pragma once
/// The picture of one or several 2-D slices, and its animation.

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

#include <plateau/viz/animation.hpp>
#include <plateau/viz/heading.hpp>
#include <plateau/viz/panel_rows.hpp>
#include <plateau/viz/slice_panel.hpp>

namespace plateau::viz {

/// What the picture shows.
struct slice_figure {
    std::string title = {};
    std::string counts = {};  ///< beside the title
    std::string subtitle = {};
    std::array<std::string, 3> anchors = {};  ///< the prompts A, B, C; not shown if all are empty
    map_grid grid = {};
    std::vector<slice_map> panels = {};  ///< slices over one grid
    bool one_scale = false;              ///< each distance divided by its largest in all panels, not in its own
    double scale = 2;                    ///< pixels of the file per logical pixel
};

namespace detail {

/// What each panel's distances are divided by.
inline std::vector<std::array<double, 3>> slice_scales(slice_figure const& figure) {
    std::vector<std::array<double, 3>> scales;
    std::array<double, 3> all{};
    for (auto const& panel : figure.panels) {
        scales.push_back(largest_of(panel.distances));
        for (std::size_t k = 0; k < 3; ++k) all[k] = std::max(all[k], scales.back()[k]);
    }
    if (figure.one_scale) scales.assign(scales.size(), all);
    return scales;
}

/// @param scales  [panels]
inline canvas render_slices(slice_figure const& figure, std::vector<std::array<double, 3>> const& scales) {
    auto const count = static_cast<index>(figure.panels.size());
    if (count == 0) throw shape_error("a picture of slices needs one at least");
    bool const names =
        std::any_of(figure.anchors.begin(), figure.anchors.end(), [](auto const& words) { return !words.empty(); });
    double const wanted = count == 1 ? 460 : count <= 3 ? 360 : 280;
    index const lines = count == 4 ? 2 : (count + 3) / 4;
    panel_rows place{.count = count, .across = (count + lines - 1) / lines, .least = 620};
    place.width = side_of_cells(static_cast<index>(figure.grid.u.size()), wanted);
    place.height = side_of_cells(static_cast<index>(figure.grid.v.size()), wanted);
    bool const titles =
        std::any_of(figure.panels.begin(), figure.panels.end(), [](auto const& panel) { return !panel.title.empty(); });
    place.head += names ? 68 : 14;
    place.above = titles ? 36 : 18;
    canvas picture{place.total_width(), place.total_height(), figure.scale};
    interval const edges{place.left, picture.width() - place.right};
    draw_heading(picture, edges, figure.title, figure.counts, figure.subtitle);

    constexpr std::array<colour, 3> inks{rgb(0xFF0000), rgb(0x00FF00), rgb(0x0000FF)};
    constexpr std::array<char const*, 3> letters{"A", "B", "C"};
    text_style const bold{.size = 12, .bold = true, .along = vertical::middle},
        plain{.size = 12, .along = vertical::middle};
    for (std::size_t k = 0; k < 3 && names; ++k) {
        double const y = 74 + 17 * static_cast<double>(k);
        picture.fill({edges.low, y - 5, 14, 10}, inks[k]);
        picture.text({edges.low + 21, y}, letters[k], bold);
        picture.text({edges.low + 38, y}, fitted(picture, figure.anchors[k], edges.length() - 38, plain), plain);
    }
    std::string const key = std::string("red, green, blue = 1 − d/max d from A's, B's, C's own run; max of ") +
                            (figure.one_scale ? "the whole series"
                             : count > 1      ? "each panel"
                                              : "the panel");
    text_style const note{.size = 10.5, .ink = palette::quiet_ink};
    picture.text({edges.low, place.head + 4}, fitted(picture, key, edges.length(), note), note);
    for (index i = 0; i < count; ++i) {
        auto const n = static_cast<std::size_t>(i);
        draw_slice(picture, place[i], figure.grid, figure.panels[n], scales[n]);
    }
    return picture;
}

}  // namespace detail

/// All panels, up to four beside each other. Cells are squares of whole pixels of the file at a scale of 2.
/// @throws shape_error without panels or on maps that do not fit the grid; domain_error on an uneven grid or an
/// impossible size
/// @post the same figure gives the same bytes
inline canvas render_slices(slice_figure const& figure) {
    return detail::render_slices(figure, detail::slice_scales(figure));
}

/// @throws as render_slices; file_error if the picture cannot be written
inline void write_slices(slice_figure const& figure, std::ostream& out) { render_slices(figure).write_png(out); }

/// One frame per panel, in their order, as an animated PNG with colours that compare, whatever `one_scale` says.
/// @throws as write_slices, animated_png
inline void write_slice_animation(slice_figure const& figure, double seconds, std::ostream& out) {
    auto series = figure;
    series.one_scale = true;
    auto const scales = detail::slice_scales(series);
    std::vector<std::string> frames;
    for (std::size_t i = 0; i < figure.panels.size(); ++i) {
        series.panels = {figure.panels[i]};
        frames.push_back(detail::render_slices(series, {scales[i]}).png());
    }
    std::string const bytes = animated_png(frames, seconds);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    if (!out) throw file_error("cannot write an animation: the stream takes no more bytes; look for a full disk");
}

}  // namespace plateau::viz
