#pragma once
/// The picture of a stable-region run: curves.png.

#include <cmath>
#include <filesystem>
#include <ostream>
#include <span>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>
#include <plateau/viz/canvas.hpp>
#include <plateau/viz/curve_panel.hpp>
#include <plateau/viz/heading.hpp>
#include <plateau/viz/slope_panel.hpp>

namespace plateau::viz {

/// What the picture shows, and how large. Nothing is copied but the texts.
struct curve_figure {
    std::span<double const> alpha;      ///< [S] ascending, S >= 2
    curve_rows relative;                ///< [P,S] d(α)/d(1); a row that is not finite is skipped
    std::span<double const> max_slope;  ///< [P]; a value that is not finite is skipped
    std::string title = {};             ///< the model's name; the counts of pairs and steps are put beside it
    std::string subtitle = {};          ///< write site → read site
    index single_curves = 300;          ///< draw at most so many curves one by one
    double width = 960;                 ///< logical pixels
    double height = 420;
    double scale = 2;  ///< pixels of the file per logical pixel
};

/// Left the curves d(α)/d(1) with their median and quartile band, right the histogram of their maximum slopes.
/// @throws shape_error if the extents disagree or S < 2; domain_error on an impossible size
/// @post the same figure gives the same bytes
inline canvas render_curves(curve_figure const& figure) {
    auto const points = static_cast<index>(figure.alpha.size());
    index const pairs = figure.relative.count();
    if (points < 2 || !(figure.alpha.front() < figure.alpha.back())) {
        throw shape_error("a picture of curves needs at least two ascending alphas, got ", points);
    }
    tensor::require_extents<1>({figure.relative.points()}, {points}, "the curves of a picture (relative)");
    tensor::require_extents<1>({static_cast<index>(figure.max_slope.size())}, {pairs}, "max_slope of a picture");

    canvas picture{figure.width, figure.height, figure.scale};
    constexpr double left = 68, top = 98, between = 86, right = 24, below = 56;
    double const inner = figure.width - left - between - right, height = figure.height - top - below;
    if (!(inner >= 200 && height >= 100)) {
        throw domain_error("a picture of curves needs at least 380 x 260 logical pixels");
    }
    index degenerate = 0;
    for (double slope : figure.max_slope) degenerate += std::isfinite(slope) ? 0 : 1;
    std::string const size = std::to_string(pairs) + (pairs == 1 ? " pair × " : " pairs × ") + std::to_string(points) +
                             " steps" + (degenerate > 0 ? " (" + std::to_string(degenerate) + " degenerate)" : "");
    draw_heading(picture, {left, figure.width - right}, figure.title, size, figure.subtitle);

    double const curves_width = 0.56 * inner;
    draw_curves(picture, {left, top, curves_width, height}, figure.alpha, figure.relative, figure.single_curves);
    draw_slopes(picture, {left + curves_width + between, top, inner - curves_width, height}, figure.max_slope);
    return picture;
}

/// @throws as render_curves; file_error if the picture cannot be written
inline void write_curves(curve_figure const& figure, std::filesystem::path const& path) {
    render_curves(figure).write_png(path);
}
inline void write_curves(curve_figure const& figure, std::ostream& out) { render_curves(figure).write_png(out); }

}  // namespace plateau::viz
