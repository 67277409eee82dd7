#if (!defined(PLATEAU_HAS_CAIRO) || PLATEAU_HAS_CAIRO) && __has_include(<cairo.h>)
#include <plateau/viz/flows.hpp>

#include <sstream>

#include "support/catch.hpp"
#include "support/png.hpp"

namespace {

using namespace plateau;
using namespace plateau::viz;
using plateau::testing::png_size;

flow_figure sample() {
    return {.title = "a tree",
            .counts = "so many",
            .subtitle = "what it is",
            .columns_name = "step",
            .columns = {{"0", {{8, palette::blue, "one"}}},
                        {"1", {{5, palette::blue, "one"}, {3, palette::vermillion, "two"}}},
                        {"2", {{8, palette::grey, "others"}}}},
            .bands = {{{0, 0, 5}, {0, 1, 3}}, {{0, 0, 5}, {1, 0, 3}}},
            .note = "a note"};
}

TEST_CASE("a picture of flows has the same bytes every time, and everything shows", "[viz][flows]") {
    auto const bytes = render_flows(sample()).png();
    CHECK(render_flows(sample()).png() == bytes);
    auto const changed = [&](auto const& change) {
        auto figure = sample();
        change(figure);
        CHECK(render_flows(figure).png() != bytes);
    };
    changed([](flow_figure& f) { f.title = "another"; });
    changed([](flow_figure& f) { f.counts = "more"; });
    changed([](flow_figure& f) { f.subtitle = "less"; });
    changed([](flow_figure& f) { f.note = "none"; });
    changed([](flow_figure& f) { f.columns_name = "epoch"; });
    changed([](flow_figure& f) { f.columns[1].label = "7"; });
    changed([](flow_figure& f) { f.columns[1].bars[1].name = "three"; });
    changed([](flow_figure& f) { f.columns[1].bars[1].ink = palette::sky_blue; });
    changed([](flow_figure& f) { f.bands[1].pop_back(); });
    changed([](flow_figure& f) { f.bands[0][1].size = 1; });
    std::ostringstream out;
    write_flows(sample(), out);
    CHECK(out.str() == bytes);
}

TEST_CASE("pictures of flows grow with their columns", "[viz][flows]") {
    auto figure = sample();
    auto const size = png_size(render_flows(figure).png());
    CHECK(size.height > 840);
    figure.column_width = 300;
    CHECK(png_size(render_flows(figure).png()).width > size.width);
    figure.scale = 1;
    CHECK(png_size(render_flows(figure).png()).height == size.height / 2);
    figure.columns.resize(1);
    figure.bands.clear();
    CHECK(png_size(render_flows(figure).png()).width == 480);
}

TEST_CASE("bars of all columns have one scale and gaps between them", "[viz][flows]") {
    auto const bars = viz::detail::place_bars(sample(), 100);
    REQUIRE(bars.size() == 3);
    CHECK_THAT(bars[0][0].height, testing::WithinAbs(bars[2][0].height, 1e-9));
    CHECK_THAT(bars[1][0].height + bars[1][1].height, testing::WithinAbs(bars[0][0].height, 1e-9));
    CHECK(bars[1][1].top > bars[1][0].top + bars[1][0].height + 1);
    for (auto const& column : bars) {
        CHECK(column.front().top >= 100);
        CHECK(column.back().top + column.back().height <= 100 + sample().height + 1e-9);
    }
}

TEST_CASE("figures that do not fit together are refused", "[viz][flows]") {
    auto figure = sample();
    auto const refused = [](flow_figure const& one) { CHECK_THROWS_AS(render_flows(one), shape_error); };
    refused({});
    figure.bands.pop_back();
    refused(figure);
    figure = sample();
    figure.columns[1].bars.clear();
    refused(figure);
    figure = sample();
    figure.columns[1].bars[0].size = 0;
    refused(figure);
    figure = sample();
    figure.bands[1][0].to = 1;
    refused(figure);
}

}  // namespace
#endif
