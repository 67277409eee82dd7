#include <plateau/viz/labelled_curves.hpp>

#include <cmath>
#include <sstream>

#include "support/catch.hpp"
#include "support/png.hpp"

namespace {

using namespace plateau;

viz::labelled_panel panel_of(bool logarithmic) {
    viz::labelled_panel panel{
        .title = "KL against length", .x = {"length", logarithmic}, .y = {"KL, nats", logarithmic}, .curves = {}};
    for (int k = 0; k < 4; ++k) {
        viz::labelled_curve curve{.label = "family of directions " + std::to_string(k), .x = {}, .y = {}};
        for (int i = 1; i <= 20; ++i) {
            double const x = 10.0 * i, y = std::exp(0.02 * x + 0.4 * k) - 1;
            curve.x.push_back(x);
            curve.y.push_back(y);
            curve.low.push_back(0.8 * y);
            curve.high.push_back(1.3 * y);
        }
        panel.curves.push_back(curve);
    }
    return panel;
}

std::string bytes_of(viz::labelled_figure const& figure) {
    std::ostringstream out;
    viz::write_labelled_curves(figure, out);
    return out.str();
}

TEST_CASE("labelled curves are drawn on linear and logarithmic axes, the same bytes every time",
          "[viz][labelled_curves]") {
    viz::labelled_figure figure{.title = "a model",
                                .counts = "200 prompts",
                                .subtitle = "blocks.0.hook_resid_post",
                                .panels = {panel_of(false), panel_of(true)}};
    figure.panels[0].references.push_back({.value = 20, .label = "level"});
    auto const once = bytes_of(figure);
    CHECK(once == bytes_of(figure));
    CHECK(once.size() > 10000);
    auto more = figure;
    more.panels[1].curves[2].y[3] *= 1.5;
    CHECK(bytes_of(more) != once);
    auto narrow = figure;
    narrow.panels[0].curves[1].high[4] += 0.5;
    CHECK(bytes_of(narrow) != once);
}

TEST_CASE("empty, constant and broken curves make a picture; unequal lengths do not",
          "[viz][labelled_curves][errors]") {
    viz::labelled_figure figure;
    CHECK_THROWS_AS(viz::render_labelled_curves(figure), shape_error);
    figure.panels.push_back({.title = "nothing", .x = {"x", true}, .y = {"y", true}, .curves = {}});
    CHECK_NOTHROW(viz::render_labelled_curves(figure));
    auto& curves = figure.panels[0].curves;
    curves.push_back({.label = "constant", .x = {1, 2, 3}, .y = {4, 4, 4}});
    curves.push_back(
        {.label = "broken", .x = {1, 2, 3}, .y = {NAN, -1, INFINITY}, .low = {0, NAN, 1}, .high = {1, 1, 2}});
    curves.push_back({.label = "one point", .x = {2}, .y = {5}});
    CHECK_NOTHROW(viz::render_labelled_curves(figure));
    curves.push_back({.label = "short", .x = {1, 2}, .y = {1}});
    CHECK_THROWS_WITH(viz::render_labelled_curves(figure), testing::contains("short"));
    curves.back() = {.label = "bounds", .x = {1, 2}, .y = {1, 2}, .low = {1, 2}, .high = {1}};
    CHECK_THROWS_AS(viz::render_labelled_curves(figure), shape_error);
}

TEST_CASE("marks of logarithmic axes are powers of ten, and more of them where these are few", "[viz][ticks]") {
    auto const wide = viz::log_ticks_of({-3, 4}, 7);
    CHECK(wide.labels == std::vector<std::string>{"0.001", "0.01", "0.1", "1", "10", "100", "1000", "1e+04"});
    CHECK(viz::log_ticks_of({0, 2}, 7).labels == std::vector<std::string>{"1", "2", "5", "10", "20", "50", "100"});
    CHECK(viz::log_ticks_of({std::log10(31.0), std::log10(39.0)}, 5).labels.size() >= 3);
    CHECK(viz::log_ticks_of({1, 1}, 5).values.empty());
    CHECK(viz::log_ticks_of({-20, 20}, 5).values.size() <= 6);
}

}  // namespace
