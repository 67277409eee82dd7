#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/heat_maps.hpp>

#include <cmath>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/png.hpp"

namespace {

using namespace plateau;
using namespace plateau::viz;
using plateau::index;
using plateau::testing::contains;
using plateau::testing::png_size;

/// `count` matrices of values from −1 to 1.
struct sample {
    std::vector<double> values;
    index rows, columns;
    std::size_t count;

    sample(index r, index c, std::size_t n = 4) : rows{r}, columns{c}, count{n} {
        for (index i = 0; i < r * c; ++i) values.push_back(std::cos(static_cast<double>(i)));
    }
    heat_figure figure(bool labels = true) const {
        heat_figure result{.title = "a model", .counts = "so many", .subtitle = "what it is"};
        for (std::size_t i = 0; i < count; ++i) {
            heat_map map{"map", {values.data(), {rows, columns}}, {}, "position", "layer"};
            for (index c = 0; labels && c < columns; ++c)
                map.columns.push_back({" token" + std::to_string(c), c % 3 == 0});
            result.maps.push_back(map);
        }
        return result;
    }
};

TEST_CASE("colours are white at 0 and darker towards both ends", "[viz][heat_maps]") {
    diverging_colours const colours{2};
    auto const light = [&](double value) {
        auto const c = colours(value);
        return c.red + c.green + c.blue;
    };
    CHECK(light(0) == 3);
    for (double v = 0.1; v <= 2; v += 0.1) {
        CHECK(light(v) < light(v - 0.1));
        CHECK(light(-v) < light(-(v - 0.1)));
        CHECK(colours(v).red > colours(v).blue);
        CHECK(colours(-v).red < colours(-v).blue);
    }
    CHECK(light(2) == light(5));
    CHECK(light(-2) == light(-std::numeric_limits<double>::infinity()));
    CHECK(light(std::nan("")) == light(std::nan("")));
}

TEST_CASE("a picture of matrices has the same bytes every time, and everything shows", "[viz][heat_maps]") {
    auto const [rows, columns] =
        GENERATE(std::pair<index, index>{1, 1}, std::pair<index, index>{6, 15}, std::pair<index, index>{50, 70});
    sample const data{rows, columns};
    auto const bytes = render_heat_maps(data.figure()).png();
    CHECK(render_heat_maps(data.figure()).png() == bytes);
    CHECK(bytes.find("tIME") == std::string::npos);
    CHECK(png_size(bytes).width > 900);
    CHECK(png_size(bytes).width <= 2 * 2 * (3000 + 150));
    auto changed = data;
    changed.values.back() += 0.5;
    CHECK(render_heat_maps(changed.figure()).png() != bytes);
    CHECK(render_heat_maps(data.figure(false)).png() != bytes);
    auto figure = data.figure();
    figure.maps[0].columns[0].words = std::string(500, 'x') + "\xFF";
    CHECK(render_heat_maps(figure).png() != bytes);
    figure = data.figure();
    figure.title = std::string(500, 'x') + "\n";
    CHECK(render_heat_maps(figure).png() != bytes);
}

TEST_CASE("labels keep their distance, bold ones before others", "[viz][heat_maps]") {
    std::vector<column_label> labels(9, {"a"});
    using list = std::vector<index>;
    CHECK(viz::detail::shown_labels(labels, 1) == list{0, 1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(viz::detail::shown_labels(labels, 5) == list{0, 5});
    labels[4].bold = labels[5].bold = true;
    CHECK(viz::detail::shown_labels(labels, 2) == list{4, 0, 2, 6, 8});
    CHECK(viz::detail::shown_labels({}, 2).empty());
    CHECK(png_size(render_heat_maps(sample{2, 700, 1}.figure()).png()).width == 2 * (62 + 3000 + 84));
}

TEST_CASE("one panel, three, and absurd values", "[viz][heat_maps]") {
    auto const one = png_size(render_heat_maps(sample{5, 5, 1}.figure()).png()),
               three = png_size(render_heat_maps(sample{5, 5, 3}.figure()).png());
    CHECK(one.width < three.width);
    CHECK(one.height < three.height);
    sample data{3, 3};
    for (double const value : {0.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e300, 1e-300}) {
        data.values.assign(9, value);
        CHECK(png_size(render_heat_maps(data.figure()).png()).width > 0);
    }
}

TEST_CASE("matrices that cannot be shown are errors", "[viz][heat_maps][errors]") {
    CHECK_THROWS_WITH(render_heat_maps({}), contains("one at least"));
    CHECK_THROWS_WITH(render_heat_maps(sample{0, 3}.figure()), contains("0 x 3"));
    auto figure = sample{2, 3}.figure();
    figure.maps[1].columns.pop_back();
    CHECK_THROWS_AS(render_heat_maps(figure), shape_error);
    std::ostringstream full;
    full.setstate(std::ios::badbit);
    CHECK_THROWS_AS(write_heat_maps(sample{2, 2}.figure(), full), file_error);
}

}  // namespace
#endif
