#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/slices.hpp>

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

/// Distances from three corners of a square grid.
struct sample {
    std::vector<double> axis, a, b, c;
    index side;

    explicit sample(index n, double size = 1) : side{n} {
        for (index i = 0; i < n; ++i)
            axis.push_back(-0.25 + 1.5 * static_cast<double>(i) / static_cast<double>(std::max<index>(n - 1, 1)));
        for (double const v : axis) {
            for (double const u : axis) {
                a.push_back(size * std::hypot(u, v));
                b.push_back(size * std::hypot(u - 1, v));
                c.push_back(size * std::hypot(u - 0.4, v - 1));
            }
        }
    }
    slice_map map(std::string title = "") const {
        auto const view = [&](std::vector<double> const& d) {
            return tensor::view<double const, 2>(d.data(), {side, side});
        };
        return {std::move(title), {view(a), view(b), view(c)}, {{"A", 0, 0}, {"B", 1, 0}, {"C", 0.4, 1}}};
    }
    slice_figure figure(std::size_t panels = 1) const {
        slice_figure result{.title = "a model",
                            .counts = "so many",
                            .subtitle = "what it is",
                            .anchors = {"one", "two", "three"},
                            .grid = {axis, axis}};
        for (std::size_t i = 0; i < panels; ++i)
            result.panels.push_back(map(panels > 1 ? "panel " + std::to_string(i) : ""));
        return result;
    }
};

TEST_CASE("a slice is red at A, green at B, blue at C, black far from all, white near all", "[viz][slices]") {
    std::array<double, 3> const largest{2, 4, 8};
    auto const is = [](colour const& got, double r, double g, double b) {
        return got.red == r && got.green == g && got.blue == b;
    };
    CHECK(is(slice_colour({0, 4, 8}, largest), 1, 0, 0));
    CHECK(is(slice_colour({2, 0, 8}, largest), 0, 1, 0));
    CHECK(is(slice_colour({2, 4, 0}, largest), 0, 0, 1));
    CHECK(is(slice_colour({2, 4, 8}, largest), 0, 0, 0));
    CHECK(is(slice_colour({0, 0, 0}, largest), 1, 1, 1));
    CHECK(is(slice_colour({1, 1, 2}, largest), 0.5, 0.75, 0.75));
    CHECK(is(slice_colour({9, 9, 9}, largest), 0, 0, 0));    // beyond a scale that others made
    CHECK(is(slice_colour({0, 0, 0}, {0, 0, 0}), 1, 1, 1));  // constant maps
    CHECK(is(slice_colour({1, nan, 1}, largest), palette::grey.red, palette::grey.green, palette::grey.blue));
}

TEST_CASE("the largest distance of each context leaves out what is not finite", "[viz][slices]") {
    sample data{5};
    data.a[3] = nan, data.b[3] = std::numeric_limits<double>::infinity(), data.c.assign(25, nan);
    auto const largest = largest_of(data.map().distances);
    CHECK(largest[0] == std::hypot(1.25, 1.25));
    CHECK(largest[1] == std::hypot(1.25, 1.25));
    CHECK(largest[2] == 0);
}

TEST_CASE("cells are whole pixels of the file, and the picture grows with the grid where it has to", "[viz][slices]") {
    CHECK(side_of_cells(61, 340) == 61 * 5.5);
    CHECK(side_of_cells(256, 340) == 256 * 1.5);
    CHECK(side_of_cells(2000, 340) == 1000);
    CHECK(side_of_cells(1, 340) == 340);
    auto const small = png_size(render_slices(sample{2}.figure()).png()),
               large = png_size(render_slices(sample{400}.figure()).png());
    CHECK(small.width >= 1000);
    CHECK(large.height >= 400);
    cell_edges const cells{{10, 20, 61 * 5.5, 61 * 5.5}, 61, 61};
    for (index i = 0; i < 61; ++i) CHECK(cells.x(i + 1) - cells.x(i) == 5.5);
    CHECK(cells(0, 0).bottom() == cells.area.bottom());
    CHECK(cells(60, 60).top == cells.area.top);
}

TEST_CASE("a picture of slices has the same bytes every time, and everything shows", "[viz][slices]") {
    sample const data{13};
    auto const bytes = render_slices(data.figure()).png();
    CHECK(render_slices(data.figure()).png() == bytes);
    CHECK(bytes.find("tIME") == std::string::npos);
    auto changed = data;
    changed.b[20] += 0.5;
    CHECK(render_slices(changed.figure()).png() != bytes);
    auto figure = data.figure();
    figure.panels[0].anchors[2].u = 7;  // outside: an arrow
    CHECK(render_slices(figure).png() != bytes);
    auto const outside = render_slices(figure).png();
    figure.panels[0].anchors[2] = {"C", nan, 1};
    CHECK(render_slices(figure).png() != outside);
    figure = data.figure();
    figure.anchors = {};
    CHECK(png_size(render_slices(figure).png()).height < png_size(bytes).height);
    figure.title = std::string(500, 'x') + "\xFF\n";
    figure.subtitle = std::string(500, 'y');
    figure.anchors = {std::string(3000, 'z'), "", ""};
    CHECK(png_size(render_slices(figure).png()).width == png_size(bytes).width);
}

TEST_CASE("one scale for all makes colours compare, each one's own does not", "[viz][slices]") {
    sample const near{9, 1}, far{9, 3};
    auto figure = near.figure(2);
    figure.panels[1] = far.map("panel 1");
    auto const own = render_slices(figure).png();
    figure.one_scale = true;
    CHECK(render_slices(figure).png() != own);
    auto twice = near.figure(2);  // the largest are the same: only the words of the key differ
    auto const scales = viz::detail::slice_scales(twice);
    twice.one_scale = true;
    CHECK(viz::detail::slice_scales(twice) == scales);
    CHECK(viz::detail::slice_scales(figure)[0] == largest_of(far.map().distances));
}

TEST_CASE("an animation has a frame per slice, all of one size", "[viz][slices][animation]") {
    sample const data{7};
    std::ostringstream out;
    write_slice_animation(data.figure(3), 0.5, out);
    std::string const bytes = out.str();
    CHECK(png_size(bytes).width == png_size(render_slices(data.figure()).png()).width);
    CHECK(bytes.find("acTL") != std::string::npos);
    std::size_t frames = 0;
    for (std::size_t at = 0; (at = bytes.find("fcTL", at)) != std::string::npos; ++at) ++frames;
    CHECK(frames == 3);
    out.setstate(std::ios::badbit);
    CHECK_THROWS_AS(write_slice_animation(data.figure(2), 0.5, out), file_error);
}

TEST_CASE("slices that cannot be shown are errors", "[viz][slices][errors]") {
    CHECK_THROWS_WITH(render_slices({}), contains("one at least"));
    sample data{4};
    auto figure = data.figure();
    figure.panels[0].distances[1] = {figure.panels[0].distances[1].data(), {2, 8}};
    CHECK_THROWS_AS(render_slices(figure), shape_error);
    data.axis[2] += 0.01;
    CHECK_THROWS_WITH(render_slices(data.figure()), contains("even ascending grid"));
    data.axis = {1, 0.5, 0, -0.5};
    CHECK_THROWS_AS(render_slices(data.figure()), domain_error);
    data.axis[1] = nan;
    CHECK_THROWS_AS(render_slices(data.figure()), domain_error);
    data.axis.clear();
    data.side = 0;
    CHECK_THROWS_AS(render_slices(data.figure()), shape_error);
}

}  // namespace
#endif
