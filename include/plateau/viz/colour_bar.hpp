#pragma once
/// The bar that explains colours.

#include <concepts>

#include <plateau/viz/cells.hpp>
#include <plateau/viz/ticks.hpp>

namespace plateau::viz {

/// Colours of values: colours(value), from the least to the largest of colours.range().
template <class Candidate>
concept ColourScale = requires(Candidate const& colours, double value) {
    { colours(value) } -> std::same_as<colour>;
    { colours.range() } -> std::same_as<interval>;
};

/// A standing bar of all colours with the values beside it. Labels take about 45 px to its right.
template <ColourScale Colours>
void draw_colour_bar(canvas& to, rectangle area, Colours const& colours) {
    int const strips = 128;
    interval const range = colours.range();
    auto const y = [&](double value) { return area.bottom() - area.height * ((value - range.low) / range.length()); };
    for (int i = 0; i < strips; ++i) {
        double const middle = range.low + range.length() * (i + 0.5) / strips;
        double const top = area.bottom() - area.height * (i + 1) / strips;
        to.fill({area.left, top, area.width, area.bottom() - area.height * i / strips - top + (i > 0 ? 0.5 : 0)},
                colours(middle));
    }
    draw_border(to, area);
    pen const thin{palette::quiet_ink, 0.8};
    auto const marks = ticks_of(range, 6);
    for (double const value : marks.values) {
        to.line({{area.right(), y(value)}, {area.right() + 3, y(value)}}, thin);
        to.text({area.right() + 7, y(value)}, tick_label(value, marks.step),
                {.size = 10, .ink = palette::quiet_ink, .along = vertical::middle});
    }
}

}  // namespace plateau::viz
