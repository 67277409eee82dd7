#pragma once
/// The panel of a matrix of signed values.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <plateau/tensor/view.hpp>
#include <plateau/viz/colour_bar.hpp>
#include <plateau/viz/diverging_colours.hpp>
#include <plateau/viz/printable.hpp>

namespace plateau::viz {

/// One label of a column.
struct column_label {
    std::string words;
    bool bold = false;
};

/// A matrix to show. Nothing is copied but the texts.
struct heat_map {
    std::string title;
    tensor::view<double const, 2> values;  ///< [rows, columns]; row 0 at the bottom, as layers are stacked
    std::vector<column_label> columns;     ///< one each; none to count them
    std::string across;                    ///< what columns are
    std::string along;                     ///< what rows are
};

namespace detail {

inline constexpr double label_size = 10.5, longest_label = 150;
inline text_style label_style(bool bold) {
    return {.size = label_size, .ink = bold ? palette::ink : palette::quiet_ink, .bold = bold};
}

/// Which labels are shown, `step` columns apart: bold ones first.
inline std::vector<index> shown_labels(std::vector<column_label> const& columns, index step) {
    std::vector<index> shown;
    for (bool const bold : {true, false}) {
        for (index c = 0; c < static_cast<index>(columns.size()); ++c) {
            bool const free =
                std::none_of(shown.begin(), shown.end(), [&](index other) { return std::abs(other - c) < step; });
            if (columns[static_cast<std::size_t>(c)].bold == bold && free) shown.push_back(c);
        }
    }
    return shown;
}

/// Show every n-th of `count` labels that share `all` pixels, so that they are `room` pixels apart.
inline index label_step(index count, double all, double room) {
    return static_cast<index>(nice_step(std::max(1.0, room * static_cast<double>(count) / all)));
}

}  // namespace detail

/// Height that upright labels take, at most `longest_label` pixels; that of a number without labels.
inline double label_height(canvas& to, std::vector<column_label> const& columns) {
    double longest = 10;
    for (auto const& one : columns)
        longest = std::max(longest, to.text_width(one.words, detail::label_style(one.bold)));
    return std::min(longest, detail::longest_label);
}

/// Cells in diverging colours, numbered rows, labelled columns, and a colour bar.
/// @param area     of the cells; row numbers take 45 px left of it, the bar and its labels 75 right of it, the title 20
///                 above and 8 + `label_height` + 26 below it those of the columns and their name
inline void draw_heat_map(canvas& to, rectangle area, heat_map const& map) {
    double const labels = label_height(to, map.columns);
    auto const [rows, columns] = map.values.extents();
    double largest = 0;
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            if (std::isfinite(map.values(r, c))) largest = std::max(largest, std::abs(map.values(r, c)));
        }
    }
    diverging_colours const colours{largest > 0 ? largest : 1};
    cell_edges const cells{area, rows, columns};
    draw_cells(to, cells, [&](index r, index c) { return colours(map.values(r, c)); });
    draw_border(to, area);
    to.text({area.left, area.top - 10}, map.title, {.size = 12.5, .bold = true});

    text_style number{
        .size = detail::label_size, .ink = palette::quiet_ink, .across = horizontal::right, .along = vertical::middle};
    index const row_step = detail::label_step(rows, area.height, 14);
    for (index r = 0; r < rows; r += row_step)
        to.text({area.left - 6, (cells.y(r) + cells.y(r + 1)) / 2}, std::to_string(r), number);
    text_style name{.size = 12, .across = horizontal::centre, .angle = 90};
    to.text({area.left - 32, area.top + area.height / 2}, map.along, name);
    name.angle = 0;
    to.text({area.left + area.width / 2, area.bottom() + 8 + labels + 20}, map.across, name);

    auto const middle = [&](index c) { return (cells.x(c) + cells.x(c + 1)) / 2; };
    if (map.columns.empty()) {
        number.across = horizontal::centre;
        number.along = vertical::top;
        index const step = detail::label_step(columns, area.width, 22);
        for (index c = 0; c < columns; c += step) to.text({middle(c), area.bottom() + 8}, std::to_string(c), number);
    }
    for (index const c : detail::shown_labels(map.columns, detail::label_step(columns, area.width, 11.9))) {
        auto const& one = map.columns[static_cast<std::size_t>(c)];
        auto style = detail::label_style(one.bold);
        auto const words = shortened(one.words, labels + 1, [&](auto const& t) { return to.text_width(t, style); });
        style.across = horizontal::right;
        style.along = vertical::middle;
        style.angle = 90;
        to.text({middle(c), area.bottom() + 8}, words, style);
    }
    draw_colour_bar(to, {area.right() + 12, area.top, 11, area.height}, colours);
}

}  // namespace plateau::viz
