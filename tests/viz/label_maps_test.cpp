#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/label_maps.hpp>

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

struct sample {
    std::vector<double> axis;
    std::vector<index> labels;
    index side;

    /// @param label  of (row, column)
    template <class Label>
    sample(index n, Label const& label) : side{n} {
        for (index i = 0; i < n; ++i) axis.push_back(static_cast<double>(i));
        for (index r = 0; r < n; ++r) {
            for (index c = 0; c < n; ++c) labels.push_back(label(r, c));
        }
    }
    tensor::view<index const, 2> map() const { return {labels.data(), {side, side}}; }
    label_figure figure(std::size_t panels = 1) const {
        label_figure result{.title = "a model", .counts = "so many", .subtitle = "what it is", .grid = {axis, axis}};
        for (std::size_t i = 0; i < panels; ++i) result.panels.push_back({"panel", map(), {{"A", 1, 1}}});
        return result;
    }
};

auto const halves = [](index, index c) { return c < 20 ? index{3} : index{8}; };
auto const noise = [](index r, index c) { return (r * 31 + c * 17) % 40; };

TEST_CASE("the labels that cover most have the colours", "[viz][labels]") {
    sample const data{30, [](index r, index c) {
                          return r > 20 ? index{5} : c > 24 ? index{7} : index{100 + (r * 30 + c) % 50};
                      }};
    std::vector<tensor::view<index const, 2>> const maps{data.map()};
    label_colours const colours{maps};
    REQUIRE(colours.entries().size() == 52);
    CHECK(colours.entries()[0].label == 5);
    CHECK(colours.entries()[0].share == 9.0 / 30);
    CHECK(colours.entries()[1].label == 7);
    auto const same = [](colour const& x, colour const& y) {
        return x.red == y.red && x.green == y.green && x.blue == y.blue;
    };
    CHECK(same(colours(5), label_colours::hue(0)));
    CHECK(same(colours(7), label_colours::hue(1)));
    CHECK(colours(colours.entries().back().label).red == colours(colours.entries().back().label + 3).red);
    for (std::size_t i = 0; i < label_colours::named; ++i) {
        for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(same(label_colours::hue(i), label_colours::hue(j)));
        CHECK_FALSE(same(colours(colours.entries().back().label), label_colours::hue(i)));
    }
}

TEST_CASE("names stand in the middle of their regions", "[viz][labels]") {
    sample const data{9, [](index r, index c) { return r >= 2 && r < 7 && c >= 3 && c < 8 ? index{1} : index{0}; }};
    auto const middles = viz::detail::interiors_of(metrics::regions_of(data.map()), 9, 9);
    REQUIRE(middles.size() == 2);
    CHECK(middles[1].row == 4);
    CHECK(middles[1].column == 5);
    CHECK(middles[1].depth == 3);
    CHECK(middles[0].depth == 2);  // the frame is at most three cells wide
    sample const one{1, [](index, index) { return index{4}; }};
    CHECK(viz::detail::interiors_of(metrics::regions_of(one.map()), 1, 1)[0].depth == 1);
}

TEST_CASE("a picture of labels has the same bytes every time, and everything shows", "[viz][labels]") {
    sample const data{30, halves};
    auto const bytes = render_labels(data.figure()).png();
    CHECK(render_labels(data.figure()).png() == bytes);
    auto changed = data;
    changed.labels[45] = 9;
    CHECK(render_labels(changed.figure()).png() != bytes);
    auto figure = data.figure();
    figure.name = [](index label) { return label == 3 ? "three" : std::string(300, 'x'); };
    CHECK(render_labels(figure).png() != bytes);
    figure.title = std::string(500, 'x') + "\n";
    CHECK(png_size(render_labels(figure).png()).width == png_size(bytes).width);
    CHECK(png_size(render_labels(data.figure(3)).png()).width > 2 * png_size(bytes).width);
}

TEST_CASE("one region, one point, and a map that is all boundaries", "[viz][labels]") {
    CHECK(png_size(render_labels(sample{30, [](index, index) { return index{2}; }}.figure()).png()).width > 0);
    CHECK(png_size(render_labels(sample{1, halves}.figure()).png()).width > 0);
    CHECK(png_size(render_labels(sample{50, noise}.figure(4)).png()).width > 0);
    CHECK(png_size(render_labels(sample{4, [](index r, index) { return -r; }}.figure()).png()).width > 0);
}

TEST_CASE("labels that cannot be shown are errors", "[viz][labels][errors]") {
    CHECK_THROWS_WITH(render_labels({}), contains("a map at least"));
    sample const data{5, halves};
    auto figure = data.figure();
    figure.panels[0].labels = {figure.panels[0].labels.data(), {1, 25}};
    CHECK_THROWS_AS(render_labels(figure), shape_error);
    std::ostringstream full;
    full.setstate(std::ios::badbit);
    CHECK_THROWS_AS(write_labels(data.figure(), full), file_error);
}

}  // namespace
#endif
