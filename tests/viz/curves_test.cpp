#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/curves.hpp>

#include <cmath>
#include <limits>
#include <sstream>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/metrics/max_slope.hpp>

#include "support/catch.hpp"
#include "support/png.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau;
using namespace plateau::viz;
using plateau::index;
using plateau::testing::png_size;

double const nan = std::numeric_limits<double>::quiet_NaN();

/// Sigmoids with random places and widths, on the even grid.
struct sample {
    std::vector<double> alpha, relative, slopes;
    index pairs;

    sample(index count, index points) : pairs{count} {
        counter_rng rng{static_cast<std::uint64_t>(pairs)};
        for (index s = 0; s < points; ++s) alpha.push_back(static_cast<double>(s) / static_cast<double>(points - 1));
        for (index p = 0; p < pairs; ++p) {
            double const place = 0.3 + 0.4 * rng.uniform(), width = 0.03 + 0.1 * rng.uniform();
            auto const level = [&](double a) { return 1 / (1 + std::exp((place - a) / width)); };
            for (double a : alpha) relative.push_back((level(a) - level(0)) / (level(1) - level(0)));
            slopes.push_back(metrics::max_slope(std::span<double const>{relative}.last(alpha.size())).value);
        }
    }

    curve_figure figure() const {
        return {.alpha = alpha,
                .relative = tensor::view<double const, 2>{relative.data(), {pairs, static_cast<index>(alpha.size())}},
                .max_slope = slopes,
                .title = "a model",
                .subtitle = "here → there"};
    }
};

TEST_CASE("the picture has its size, and the same bytes every time", "[viz][curves]") {
    index const pairs = GENERATE(1, 2, 25, 400);
    index const points = GENERATE(2, 11);
    sample const data{pairs, points};
    auto const bytes = render_curves(data.figure()).png();
    CHECK(png_size(bytes).width == 1920);
    CHECK(png_size(bytes).height == 840);
    CHECK(render_curves(data.figure()).png() == bytes);
    CHECK(bytes.find("tIME") == std::string::npos);
}

TEST_CASE("curves, slopes and texts all show", "[viz][curves]") {
    sample const data{20, 11};
    auto const bytes = render_curves(data.figure()).png();
    auto changed = data;
    changed.relative[5] += 0.2;
    CHECK(render_curves(changed.figure()).png() != bytes);
    changed = data;
    changed.slopes[5] += 3;
    CHECK(render_curves(changed.figure()).png() != bytes);
    auto figure = data.figure();
    figure.title = std::string(500, 'x') + "\xFF";
    figure.subtitle = "\n";
    CHECK(render_curves(figure).png() != bytes);
}

TEST_CASE("degenerate pairs are left out", "[viz][curves]") {
    sample data{6, 11};
    for (std::size_t s = 0; s < 11; ++s) data.relative[3 * 11 + s] = nan;
    data.slopes[3] = nan;
    CHECK(png_size(render_curves(data.figure()).png()).width == 1920);

    for (double& value : data.relative) value = nan;
    for (double& value : data.slopes) value = nan;
    CHECK(png_size(render_curves(data.figure()).png()).width == 1920);

    sample const none{0, 11};
    CHECK(png_size(render_curves(none.figure()).png()).width == 1920);
}

TEST_CASE("absurd values do no harm", "[viz][curves]") {
    sample data{6, 11};
    double const wild = GENERATE(-1e308, -1e9, 1e5, 1e15, 1e308, 5e-324, std::numeric_limits<double>::infinity());
    data.relative[14] = wild;
    data.slopes[1] = wild;
    CHECK(png_size(render_curves(data.figure()).png()).width == 1920);
    for (double& value : data.relative) value = wild;
    for (double& value : data.slopes) value = wild;
    CHECK(png_size(render_curves(data.figure()).png()).width == 1920);
}

TEST_CASE("single curves are chosen evenly and reproducibly", "[viz][curves]") {
    CHECK(evenly_spread(3, 300) == std::vector<index>{0, 1, 2});
    CHECK(evenly_spread(10, 5) == std::vector<index>{0, 2, 4, 6, 8});
    CHECK(evenly_spread(1000, 300).size() == 300);
    CHECK(evenly_spread(0, 5).empty());
    CHECK(evenly_spread(5, 0).empty());
}

TEST_CASE("numbers of the legend have three digits", "[viz][curves]") {
    CHECK(viz::detail::three_digits(3.919) == "3.92");
    CHECK(viz::detail::three_digits(12.64) == "12.6");
    CHECK(viz::detail::three_digits(123.4) == "123");
    CHECK(viz::detail::three_digits(-1.5) == "\u22121.50");
}

TEST_CASE("extents must agree", "[viz][curves]") {
    sample const data{4, 11};
    auto figure = data.figure();
    figure.alpha = figure.alpha.first(10);
    CHECK_THROWS_AS(render_curves(figure), shape_error);
    figure = data.figure();
    figure.max_slope = figure.max_slope.first(3);
    CHECK_THROWS_AS(render_curves(figure), shape_error);
    figure = data.figure();
    figure.alpha = figure.alpha.first(1);
    CHECK_THROWS_AS(render_curves(figure), shape_error);
    figure = data.figure();
    figure.width = 100;
    CHECK_THROWS_AS(render_curves(figure), domain_error);
}

TEST_CASE("the picture is written whole or not at all", "[viz][curves]") {
    plateau::testing::scratch_dir scratch;
    sample const data{4, 11};
    write_curves(data.figure(), scratch / "curves.png");
    std::ostringstream stream;
    write_curves(data.figure(), stream);
    CHECK(plateau::testing::bytes_of(scratch / "curves.png") == stream.str());
    CHECK_THROWS_AS(write_curves(data.figure(), scratch / "missing/curves.png"), file_error);
    CHECK(scratch.entries() == 1);
}

}  // namespace
#endif
