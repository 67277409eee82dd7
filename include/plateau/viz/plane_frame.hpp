#pragma once
/// The frame of a map over two coordinates of a surface, and the marks of places in it.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/viz/axes.hpp>
#include <plateau/viz/cells.hpp>
#include <plateau/viz/printable.hpp>
#include <plateau/viz/style.hpp>

namespace plateau::viz {

/// Where the cells of a map have their middles. Nothing is copied.
struct map_grid {
    std::span<double const> u;  ///< [columns] ascending, even
    std::span<double const> v;  ///< [rows] ascending, even
};

/// A place with a name: an anchor of a slice.
struct place_mark {
    std::string name;
    double u = 0, v = 0;
};

namespace detail {

/// From the left edge of the first cell to the right edge of the last.
inline interval cell_range(std::span<double const> middles) {
    auto const n = middles.size();
    if (n == 0) throw shape_error("a map over a surface needs a row and a column at least");
    double const step = n > 1 ? (middles.back() - middles.front()) / static_cast<double>(n - 1) : 1;
    for (std::size_t i = 0; i < n; ++i) {
        if (!(step > 0) || !(std::abs(middles.front() + step * static_cast<double>(i) - middles[i]) <= 1e-6 * step)) {
            throw domain_error("a map over a surface needs an even ascending grid");
        }
    }
    return {middles.front() - step / 2, middles.back() + step / 2};
}

/// Text with a light rim, readable on every colour.
inline void rimmed_text(canvas& to, point at, std::string const& words, text_style style) {
    auto const ink = style.ink;
    style.ink = palette::white.with_alpha(0.55);
    for (int k = 0; k < 8; ++k) {
        double const angle = k * std::acos(-1.0) / 4;
        to.text({at.x + 1.5 * std::cos(angle), at.y + 1.5 * std::sin(angle)}, words, style);
    }
    style.ink = ink;
    to.text(at, words, style);
}

inline void disc(canvas& to, point at, double radius, colour ink) {
    std::array<point, 40> rim;
    for (std::size_t k = 0; k < rim.size(); ++k) {
        double const angle = 2 * std::acos(-1.0) * static_cast<double>(k) / static_cast<double>(rim.size());
        rim[k] = {at.x + radius * std::cos(angle), at.y + radius * std::sin(angle)};
    }
    to.fill(rim, ink);
}

}  // namespace detail

/// Axes whose ends are the outer edges of the outer cells. @throws shape_error, domain_error unless the grid is even
/// and ascending
inline axes map_axes(rectangle area, map_grid const& grid) {
    return {area, detail::cell_range(grid.u), detail::cell_range(grid.v)};
}

/// A dot and its name; one that lies outside has its name and an arrow at the edge it lies behind. NaN draws nothing.
inline void draw_places(canvas& to, axes const& frame, std::span<place_mark const> places) {
    auto const& area = frame.area();
    for (auto const& place : places) {
        auto const at = frame.at(place.u, place.v);
        if (!std::isfinite(at.x) || !std::isfinite(at.y)) continue;
        text_style style{.size = 14, .bold = true, .along = vertical::middle};
        point const inside{std::clamp(at.x, area.left + 12, area.right() - 12),
                           std::clamp(at.y, area.top + 12, area.bottom() - 12)};
        if (frame.x_range().contains(place.u) && frame.y_range().contains(place.v)) {
            detail::disc(to, at, 5, palette::white);
            detail::disc(to, at, 3.6, palette::ink);
            bool const mirrored = at.x > area.right() - 24;
            style.across = mirrored ? horizontal::right : horizontal::left;
            detail::rimmed_text(to, {at.x + (mirrored ? -8 : 8), std::clamp(at.y - 8, area.top + 8, area.bottom() - 8)},
                                place.name, style);
            continue;
        }
        bool const left = place.u<frame.x_range().low, right = place.u> frame.x_range().high;
        style.across = left ? horizontal::left : right ? horizontal::right : horizontal::centre;
        std::string const words = left    ? "← " + place.name
                                  : right ? place.name + " →"
                                          : place.name + (place.v > frame.y_range().high ? " ↑" : " ↓");
        detail::rimmed_text(to, {left ? area.left + 5 : right ? area.right() - 5 : inside.x, inside.y}, words, style);
    }
}

/// Title, border, axes and places around a map that has been drawn. @param title  cut to the panel's width
inline void draw_map_frame(canvas& to, axes const& frame, std::string const& title, std::string const& across,
                           std::string const& along, std::span<place_mark const> places) {
    auto const& area = frame.area();
    text_style const bold{.size = 12.5, .bold = true};
    draw_border(to, area);
    to.text({area.left, area.top - 10},
            shortened(title, area.width, [&](auto const& t) { return to.text_width(t, bold); }), bold);
    frame.draw_frame(to, ticks_of(frame.x_range(), 7), ticks_of(frame.y_range(), 7), across, along);
    draw_places(to, frame, places);
}

}  // namespace plateau::viz
