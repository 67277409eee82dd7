#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/surface_maps.hpp>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/png.hpp"

namespace {

using namespace plateau;
using namespace plateau::viz;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::png_size;

double const nan = std::numeric_limits<double>::quiet_NaN();

struct sample {
    std::vector<double> axis, values;

    explicit sample(index n) {
        for (index i = 0; i < n; ++i) axis.push_back(2 * static_cast<double>(i));
        for (double const v : axis) {
            for (double const u : axis) values.push_back(std::hypot(u, v));
        }
    }
    surface_figure figure(std::size_t maps = 1) const {
        surface_figure result{.title = "a model", .counts = "so many", .subtitle = "what it is"};
        auto const n = static_cast<index>(axis.size());
        for (std::size_t i = 0; i < maps; ++i) {
            tensor::view<double const, 2> const view{values.data(), {n, n}};
            result.maps.push_back(
                {"map",
                 {axis, axis},
                 view,
                 "first",
                 "second",
                 {},
                 {{"contour", {palette::vermillion, 2}, {{0, 1}, {3, 4}, {nan, nan}, {5, 5}, {6, 7}}}}});
        }
        return result;
    }
};

TEST_CASE("colours darken from 0 to the limit", "[viz][surfaces]") {
    sequential_colours const colours{4};
    auto const light = [&](double value) {
        auto const c = colours(value);
        return c.red * 0.3 + c.green * 0.59 + c.blue * 0.11;
    };
    for (double v = 0.05; v <= 4; v += 0.05) CHECK(light(v) < light(v - 0.05));
    CHECK(light(-1) == light(0));
    CHECK(light(9) == light(4));
    CHECK(light(std::numeric_limits<double>::infinity()) == light(4));
    CHECK(colours(nan).red == palette::grey.red);
    CHECK(colours.range().low == 0);
    CHECK(colours.range().high == 4);
}

TEST_CASE("a picture of surfaces has the same bytes every time, and everything shows", "[viz][surfaces]") {
    sample const data{11};
    auto const bytes = render_surfaces(data.figure()).png();
    CHECK(render_surfaces(data.figure()).png() == bytes);
    auto changed = data;
    changed.values[60] = 0;
    CHECK(render_surfaces(changed.figure()).png() != bytes);
    auto figure = data.figure();
    figure.maps[0].lines[0].path[1] = {9, 9};
    CHECK(render_surfaces(figure).png() != bytes);
    figure = data.figure();
    figure.maps[0].lines[0].words.clear();
    CHECK(render_surfaces(figure).png() != bytes);
    figure.title = figure.maps[0].title = figure.maps[0].across = std::string(500, 'x');
    CHECK(png_size(render_surfaces(figure).png()).width == png_size(bytes).width);
    CHECK(png_size(render_surfaces(data.figure(6)).png()).width > 2 * png_size(bytes).width);
}

TEST_CASE("absurd values have a picture", "[viz][surfaces]") {
    sample data{3};
    for (double const value : {0.0, nan, std::numeric_limits<double>::infinity(), 1e300, 1e-300, -1.0}) {
        data.values.assign(9, value);
        CHECK(png_size(render_surfaces(data.figure(2)).png()).width > 0);
    }
    CHECK(png_size(render_surfaces(sample{1}.figure()).png()).width > 0);
}

TEST_CASE("a contour's pieces stay apart", "[viz][surfaces]") {
    std::vector<metrics::contour_segment> const segments{{{0, 1}, {2, 3}}, {{4, 5}, {6, 7}}};
    auto const path = contour_path(segments);
    REQUIRE(path.size() == 6);
    CHECK(path[1] == std::array<double, 2>{2, 3});
    CHECK(std::isnan(path[2][0]));
    CHECK(path[3] == std::array<double, 2>{4, 5});
    CHECK(contour_path({}).empty());
}

TEST_CASE("surfaces that cannot be shown are errors", "[viz][surfaces][errors]") {
    CHECK_THROWS_WITH(render_surfaces({}), contains("a map at least"));
    sample data{4};
    auto figure = data.figure();
    figure.maps[0].values = {figure.maps[0].values.data(), {4, 3}};
    CHECK_THROWS_AS(render_surfaces(figure), shape_error);
    std::ostringstream full;
    full.setstate(std::ios::badbit);
    CHECK_THROWS_AS(write_surfaces(data.figure(), full), file_error);
    data.axis[1] = 3;
    CHECK_THROWS_AS(render_surfaces(data.figure()), domain_error);
}

}  // namespace
#endif
