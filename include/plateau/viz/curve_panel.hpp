#pragma once
/// The panel of relative-distance curves.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <plateau/tensor/view.hpp>
#include <plateau/viz/axes.hpp>
#include <plateau/viz/curve_band.hpp>
#include <plateau/viz/style.hpp>

namespace plateau::viz {

/// At most `most` of `count` items, evenly spread, the first among them: item k is floor(k·count/most).
inline std::vector<index> evenly_spread(index count, index most) {
    std::vector<index> chosen(static_cast<std::size_t>(std::max<index>(0, std::min(count, most))));
    auto const n = static_cast<index>(chosen.size());
    for (index k = 0; k < n; ++k) chosen[static_cast<std::size_t>(k)] = k * count / n;
    return chosen;
}

/// Single curves, the quartile band over them, the median on top, and dashed the straight line that a
/// network without plateaus would draw.
/// @param area  the plot area; labels take 60 px left of it, 45 below, and the legend 20 above
/// @param alpha  [S] ascending     @param curves  [P,S] d(α)/d(1)
/// @param singles  draw at most so many single curves
inline void draw_curves(canvas& to, rectangle area, std::span<double const> alpha, curve_rows const& curves,
                        index singles) {
    auto const band = band_of(curves);
    auto range = shown_range(curves, band);
    double const margin = 0.03 * range.length();
    axes const frame{
        area, {alpha.front(), alpha.back()}, {range.low - (range.low < 0 ? 0 : margin / 2), range.high + margin}};
    auto const across = ticks_of(frame.x_range(), 6), along = ticks_of(frame.y_range(), 7);
    frame.draw_grid(to, across, along);

    auto const points_of = [&](auto const& value) {
        std::vector<point> points;
        for (std::size_t s = 0; s < alpha.size(); ++s) points.push_back(frame.at(alpha[s], value(s)));
        return points;
    };
    auto const drawn = evenly_spread(static_cast<index>(band.curves.size()), singles);
    {
        auto const inside = to.clip({area.left, area.top, area.width + 2, area.height + 2});
        auto const thin = style::single_curve(static_cast<index>(drawn.size()));
        auto next = drawn.begin();
        curves.each([&](index p, std::span<double const> curve) {
            if (next == drawn.end() || band.curves[static_cast<std::size_t>(*next)] != p) return;
            to.line(points_of([&](std::size_t s) { return curve[s]; }), thin);
            ++next;
        });
        auto const lower = points_of([&](std::size_t s) { return band.q25.empty() ? 0 : band.q25[s]; });
        auto const upper = points_of([&](std::size_t s) { return band.q75.empty() ? 0 : band.q75[s]; });
        if (band.curves.size() > 1) {
            auto outline = lower;
            outline.insert(outline.end(), upper.rbegin(), upper.rend());
            to.fill(outline, style::quartile_band());
            to.line(lower, style::quartile_edge());
            to.line(upper, style::quartile_edge());
        }
        if (!band.curves.empty()) {
            auto const middle = points_of([&](std::size_t s) { return band.median[s]; });
            to.line(middle, style::halo());
            to.line(middle, style::median());
        }
        // on top: a median that runs along it must not hide it
        to.line({frame.at(alpha.front(), 0), frame.at(alpha.back(), 1)}, style::no_plateau());
    }
    frame.draw_frame(to, across, along, "α  (from A to B)", "d(α) / d(1)");

    std::vector<legend_entry> legend;
    if (band.curves.size() == 1) legend.push_back({"the pair", style::median()});
    if (band.curves.size() > 1) {
        auto const all = drawn.size() == band.curves.size();
        legend.push_back({"median", style::median()});
        legend.push_back({"quartiles", {style::quartile_band()}, true});
        legend.push_back({all ? "single pairs" : std::to_string(drawn.size()) + " single pairs",
                          {palette::grey.with_alpha(0.7), 1}});
    }
    legend.push_back({"no plateau", style::no_plateau()});
    draw_legend(to, {area.left, area.top - 16}, area.width, legend);
    if (band.curves.empty()) {
        to.text({area.left + 16, area.top + 28}, "no pair to show: every one is degenerate",
                {.size = 12, .ink = palette::quiet_ink});
    }
}

}  // namespace plateau::viz
