#pragma once
/// Two linear axes around a plot area, and a legend above it.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <plateau/viz/canvas.hpp>
#include <plateau/viz/ticks.hpp>

namespace plateau::viz {

/// The map from data to a plot area, and the frame that shows it.
class axes {
public:
    axes(rectangle area, interval x, interval y) : area_{area}, x_{x}, y_{y} {}

    rectangle const& area() const { return area_; }
    interval const& x_range() const { return x_; }
    interval const& y_range() const { return y_; }

    double x(double value) const { return area_.left + area_.width * (value - x_.low) / x_.length(); }
    double y(double value) const { return area_.bottom() - area_.height * (value - y_.low) / y_.length(); }
    point at(double across, double along) const { return {x(across), y(along)}; }

    /// Faint lines at the marks; drawn before the data.
    void draw_grid(canvas& to, ticks const& across, ticks const& along) const {
        pen const faint{palette::grid, 0.8};
        for (double value : across.values) to.line({{x(value), area_.top}, {x(value), area_.bottom()}}, faint);
        for (double value : along.values) to.line({{area_.left, y(value)}, {area_.right(), y(value)}}, faint);
    }

    /// Lines, marks and names of both axes; drawn after the data.
    void draw_frame(canvas& to, ticks const& across, ticks const& along, std::string const& x_label,
                    std::string const& y_label) const {
        pen const thin{palette::quiet_ink, 1};
        to.line({{area_.left, area_.top}, {area_.left, area_.bottom()}, {area_.right(), area_.bottom()}}, thin);
        text_style number{
            .size = 10.5, .ink = palette::quiet_ink, .across = horizontal::centre, .along = vertical::top};
        for (std::size_t i = 0; i < across.values.size(); ++i) {
            double const at = x(across.values[i]);
            to.line({{at, area_.bottom()}, {at, area_.bottom() + 4}}, thin);
            to.text({at, area_.bottom() + 9}, label_of(across, i), number);
        }
        number.across = horizontal::right;
        number.along = vertical::middle;
        double widest = 0;
        for (std::size_t i = 0; i < along.values.size(); ++i) {
            double const at = y(along.values[i]);
            auto const label = label_of(along, i);
            widest = std::max(widest, to.text_width(label, number));
            to.line({{area_.left, at}, {area_.left - 4, at}}, thin);
            to.text({area_.left - 8, at}, label, number);
        }
        text_style name{.size = 12, .across = horizontal::centre};
        to.text({area_.left + area_.width / 2, area_.bottom() + 38}, x_label, name);
        name.angle = 90;
        to.text({area_.left - 18 - widest, area_.top + area_.height / 2}, y_label, name);
    }

private:
    rectangle area_;
    interval x_;
    interval y_;
};

/// One entry of a legend: a piece of line, or a piece of surface if `is_area`.
struct legend_entry {
    std::string words;
    pen line;
    bool is_area = false;
};

/// Where a legend's entries lie if a row takes at most `room` pixels: those beyond go on in the next one.
struct legend_layout {
    std::vector<point> places;  ///< by entry, from the start of the first one
    int rows = 0;
};
inline legend_layout lay_out_legend(canvas& to, double room, std::span<legend_entry const> entries) {
    constexpr double sample = 20, gap = 6, between = 16, row = 16;
    legend_layout layout;
    double x = 0;
    for (auto const& entry : entries) {
        double const width = sample + gap + to.text_width(entry.words, {.size = 10.5});
        if (layout.rows == 0 || x + width > room) {
            ++layout.rows;
            x = 0;
        }
        layout.places.push_back({x, row * (layout.rows - 1)});
        x += width + between;
    }
    return layout;
}

/// One entry, its middle line at `start`.
inline void draw_legend_entry(canvas& to, point start, legend_entry const& entry) {
    constexpr double sample = 20, gap = 6;
    if (entry.is_area) to.fill({start.x, start.y - 5, sample, 10}, entry.line.ink);
    else to.line({{start.x, start.y}, {start.x + sample, start.y}}, entry.line);
    to.text({start.x + sample + gap, start.y}, entry.words, {.size = 10.5, .along = vertical::middle});
}

/// Entries in one row that starts at `start`, its middle line. From the first that would end beyond
/// `room` pixels on, entries are left out.
inline void draw_legend(canvas& to, point start, double room, std::span<legend_entry const> entries) {
    auto const layout = lay_out_legend(to, room, entries);
    for (std::size_t i = 0; i < entries.size() && layout.places[i].y == 0; ++i) {
        draw_legend_entry(to, {start.x + layout.places[i].x, start.y}, entries[i]);
    }
}

}  // namespace plateau::viz
