#pragma once
/// Colours for values with a sign, white at 0.

#include <algorithm>
#include <array>
#include <cmath>

#include <plateau/viz/colour.hpp>
#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// From dark blue at −limit over white at 0 to dark vermillion at +limit, in straight lines between five colours; what
/// lies beyond has the colour of the end, what is not a number is grey. The hues are told apart with every kind of
/// colour vision, and darkness is the magnitude.
struct diverging_colours {
    double limit = 1;  ///< > 0

    interval range() const { return {-limit, limit}; }

    colour operator()(double value) const {
        if (std::isnan(value)) return palette::grey;
        constexpr std::array<colour, 3> below{palette::white, rgb(0x4A9CCB), rgb(0x00385C)};
        constexpr std::array<colour, 3> above{palette::white, rgb(0xEA8A45), rgb(0x6E2500)};
        auto const& stops = value < 0 ? below : above;
        double const place = 2 * std::min(std::abs(value) / limit, 1.0);
        std::size_t const from = place < 1 ? 0 : 1;
        double const part = place - static_cast<double>(from);
        auto const mix = [&](double colour::*channel) {
            return stops[from].*channel * (1 - part) + stops[from + 1].*channel * part;
        };
        return {mix(&colour::red), mix(&colour::green), mix(&colour::blue)};
    }
};

}  // namespace plateau::viz
