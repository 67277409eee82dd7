#pragma once
/// The panel of maximum slopes.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <plateau/statistics/quantile.hpp>
#include <plateau/viz/axes.hpp>
#include <plateau/viz/bins.hpp>
#include <plateau/viz/style.hpp>

namespace plateau::viz {

namespace detail {

/// Three significant digits, as axis labels are written: "3.92", "12.6", "0.105".
inline std::string three_digits(double value) {
    double const magnitude = std::abs(value);
    return tick_label(value, magnitude >= 100 ? 1 : magnitude >= 10 ? 0.1 : magnitude >= 1 ? 0.01 : 0.001);
}

}  // namespace detail

/// Histogram of maximum slopes with median and quartiles; slope 1 is that of a straight line.
/// @param slopes  [P]; values that are not finite (degenerate pairs) are left out
inline void draw_slopes(canvas& to, rectangle area, std::span<double const> slopes) {
    std::vector<double> sorted;
    std::copy_if(slopes.begin(), slopes.end(), std::back_inserter(sorted), [](double s) { return std::isfinite(s); });
    std::sort(sorted.begin(), sorted.end());
    auto const histogram = bins_of(sorted);
    index const tallest =
        histogram.counts.empty() ? 1 : *std::max_element(histogram.counts.begin(), histogram.counts.end());

    interval range{1, 2};  // slope 1, the straight line, always lies in the picture
    if (!sorted.empty()) range = {std::min(1.0, histogram.first), std::max(1.0, histogram.last())};
    double const margin = 0.04 * range.length();
    axes const frame{area, {range.low - margin, range.high + margin}, {0, 1.06 * static_cast<double>(tallest)}};
    auto const across = ticks_of(frame.x_range(), 8);
    auto along = ticks_of(frame.y_range(), 6);
    if (along.step < 1) {  // pairs are whole numbers
        along = {1, {}};
        for (index pairs = 0; pairs <= tallest; ++pairs) along.values.push_back(static_cast<double>(pairs));
    }
    frame.draw_grid(to, {}, along);

    double const q25 = statistics::quantile(sorted, 0.25), q75 = statistics::quantile(sorted, 0.75);
    double const median = statistics::quantile(sorted, 0.5);
    auto const upright = [&](double slope, pen const& with) {
        to.line({{frame.x(slope), area.top}, {frame.x(slope), area.bottom()}}, with);
    };
    {
        auto const inside = to.clip({area.left, area.top, area.width + 2, area.height});
        for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
            double const left = frame.x(histogram.edge(i)), right = frame.x(histogram.edge(i + 1));
            double const top = frame.y(static_cast<double>(histogram.counts[i]));
            double const gap = std::min(0.6, 0.1 * (right - left));
            to.fill({left + gap, top, right - left - 2 * gap, area.bottom() - top}, palette::grey.with_alpha(0.62));
        }
        if (sorted.size() > 1) {
            to.fill({frame.x(q25), area.top, frame.x(q75) - frame.x(q25), area.height}, style::quartile_band());
            upright(q25, style::quartile_edge());
            upright(q75, style::quartile_edge());
        }
        upright(1, style::no_plateau());
        if (!sorted.empty()) {
            upright(median, style::halo());
            upright(median, style::median());
        }
    }
    frame.draw_frame(to, across, along, "max slope of d(α) / d(1)", "pairs");

    std::vector<legend_entry> legend;
    if (sorted.size() == 1) legend.push_back({"the pair: " + detail::three_digits(median), style::median()});
    if (sorted.size() > 1) {
        legend.push_back({"median " + detail::three_digits(median), style::median()});
        legend.push_back({"quartiles " + detail::three_digits(q25) + "–" + detail::three_digits(q75),
                          {style::quartile_band()},
                          true});
    }
    legend.push_back({"no plateau", style::no_plateau()});
    draw_legend(to, {area.left, area.top - 16}, area.width + 20, legend);

    text_style note{.size = 10, .ink = palette::quiet_ink, .across = horizontal::right, .along = vertical::top};
    if (histogram.above > 0) {
        to.text({area.right(), area.top + 4},
                std::to_string(histogram.above) + " more up to " + detail::three_digits(sorted.back()) + " →", note);
    }
    if (histogram.below > 0) {
        note.across = horizontal::left;
        to.text({area.left + 6, area.top + 4},
                "← " + std::to_string(histogram.below) + " more down to " + detail::three_digits(sorted.front()), note);
    }
}

}  // namespace plateau::viz
