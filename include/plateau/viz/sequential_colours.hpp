#pragma once
/// Colours for values without a sign.

#include <algorithm>
#include <array>
#include <cmath>

#include <plateau/viz/colour.hpp>
#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// From light yellow at 0 over green to dark blue at `limit`, in straight lines between nine colours; what lies beyond
/// has the colour of the end, what is not a number is grey. Darkness is the magnitude.
/// @see Brewer, ColorBrewer 2.0, scheme YlGnBu
struct sequential_colours {
    double limit = 1;  ///< > 0

    interval range() const { return {0, limit}; }

    colour operator()(double value) const {
        if (std::isnan(value)) return palette::grey;
        constexpr std::array<colour, 9> stops{rgb(0xFFFFD9), rgb(0xEDF8B1), rgb(0xC7E9B4), rgb(0x7FCDBB), rgb(0x41B6C4),
                                              rgb(0x1D91C0), rgb(0x225EA8), rgb(0x253494), rgb(0x081D58)};
        double const place = 8 * std::clamp(value / limit, 0.0, 1.0);
        auto const from = std::min(static_cast<std::size_t>(place), std::size_t{7});
        double const part = place - static_cast<double>(from);
        auto const mix = [&](double colour::*channel) {
            return stops[from].*channel * (1 - part) + stops[from + 1].*channel * part;
        };
        return {mix(&colour::red), mix(&colour::green), mix(&colour::blue)};
    }
};

}  // namespace plateau::viz
