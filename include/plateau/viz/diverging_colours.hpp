#pragma once
/// Colours for values with a sign, white at 0, and the bar that explains them.

#include <algorithm>
#include <array>
#include <cmath>

#include <plateau/viz/canvas.hpp>
#include <plateau/viz/ticks.hpp>

namespace plateau::viz {

/// From dark blue at −limit over white at 0 to dark vermillion at +limit, in straight lines between five colours; what
/// lies beyond has the colour of the end, what is not a number is grey. The hues are told apart with every kind of colour
/// vision, and darkness is the magnitude.
struct diverging_colours {
    double limit = 1;  ///< > 0

    colour operator()(double value) const {
        if (std::isnan(value)) return palette::grey;
        constexpr std::array<colour, 3> below{palette::white, rgb(0x4A9CCB), rgb(0x00385C)};
        constexpr std::array<colour, 3> above{palette::white, rgb(0xEA8A45), rgb(0x6E2500)};
        auto const& stops = value < 0 ? below : above;
        double const place = 2 * std::min(std::abs(value) / limit, 1.0);
        std::size_t const from = place < 1 ? 0 : 1;
        double const part = place - static_cast<double>(from);
        auto const mix = [&](double colour::*channel) { return stops[from].*channel * (1 - part) + stops[from + 1].*channel * part; };
        return {mix(&colour::red), mix(&colour::green), mix(&colour::blue)};
    }
};

/// A standing bar of all colours with the values beside it. Labels take about 45 px to its right.
inline void draw_colour_bar(canvas& to, rectangle area, diverging_colours const& colours) {
    int const strips = 128;
    auto const y = [&](double value) { return area.bottom() - area.height * (value / colours.limit + 1) / 2; };
    for (int i = 0; i < strips; ++i) {
        double const middle = colours.limit * (2 * (i + 0.5) / strips - 1);
        double const top = area.bottom() - area.height * (i + 1) / strips;
        to.fill({area.left, top, area.width, area.bottom() - area.height * i / strips - top + (i > 0 ? 0.5 : 0)}, colours(middle));
    }
    pen const thin{palette::quiet_ink, 0.8};
    to.line({{area.left, area.top}, {area.right(), area.top}, {area.right(), area.bottom()}, {area.left, area.bottom()}, {area.left, area.top}}, thin);
    auto const marks = ticks_of({-colours.limit, colours.limit}, 6);
    for (double const value : marks.values) {
        to.line({{area.right(), y(value)}, {area.right() + 3, y(value)}}, thin);
        to.text({area.right() + 7, y(value)}, tick_label(value, marks.step), {.size = 10, .ink = palette::quiet_ink, .along = vertical::middle});
    }
}

}  // namespace plateau::viz
