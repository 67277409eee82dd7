#pragma once
/// The heading of a picture, above its panels.

#include <string>
#include <string_view>

#include <plateau/viz/canvas.hpp>
#include <plateau/viz/printable.hpp>

namespace plateau::viz {

/// The text, cut so that it takes at most `room` pixels in a style.
inline std::string fitted(canvas& to, std::string_view words, double room, text_style const& style) {
    return shortened(words, room, [&](auto const& t) { return to.text_width(t, style); });
}

/// Title and what is counted in one line, what is shown in the next: 60 px from the top, between two edges.
inline void draw_heading(canvas& to, interval edges, std::string const& title, std::string const& counts,
                         std::string const& subtitle) {
    text_style const bold{.size = 16, .bold = true}, quiet{.size = 12, .ink = palette::quiet_ink};
    auto beside = quiet;
    beside.across = horizontal::right;
    double const room = edges.length() - to.text_width(counts, beside) - 20;
    to.text({edges.low, 34}, fitted(to, title, room, bold), bold);
    to.text({edges.high, 34}, counts, beside);
    to.text({edges.low, 55}, fitted(to, subtitle, edges.length(), quiet), quiet);
}

}  // namespace plateau::viz
