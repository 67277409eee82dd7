#include <plateau/paths/grid.hpp>

#include <vector>

#include "support/catch.hpp"

#include <plateau/paths/linear.hpp>
#include <plateau/paths/plane.hpp>
#include <plateau/tensor/buffer.hpp>

namespace {

using namespace plateau;
using plateau::index;

TEST_CASE("an even grid holds both ends exactly, and from 0 to 1 it is that of the sweeps", "[paths][grid]") {
    index const count = GENERATE(2, 3, 7, 50, 129);
    auto const grid = paths::even_grid(-0.25, 1.25, count);
    REQUIRE(static_cast<index>(grid.size()) == count);
    CHECK(grid.front() == -0.25);
    CHECK(grid.back() == 1.25);
    for (std::size_t i = 1; i < grid.size(); ++i) REQUIRE(grid[i] > grid[i - 1]);
    auto const unit = paths::even_grid(0, 1, count);
    for (index i = 0; i < count; ++i) REQUIRE(unit[static_cast<std::size_t>(i)] == paths::grid_fraction(i, count));
}

TEST_CASE("step grids are the published sweeps", "[paths][grid]") {
    auto const giglemiani = paths::step_grid(0, 0.5, 101);
    CHECK(giglemiani.front() == 0);
    CHECK(giglemiani.back() == 50);
    auto const lee = paths::step_grid(1, 10, 21);
    CHECK(lee[1] == 11);
    CHECK(lee.back() == 201);
}

TEST_CASE("a surface grid goes row by row", "[paths][grid]") {
    paths::surface_grid const grid{paths::even_grid(0, 2, 3), paths::even_grid(5, 6, 2)};
    CHECK(grid.size() == 6);
    CHECK(grid[0] == std::array{0.0, 5.0});
    CHECK(grid[2] == std::array{2.0, 5.0});
    CHECK(grid[3] == std::array{0.0, 6.0});
}

/// A path and a surface of one's own, and how they are used.
struct parabola {
    double bend;
    void operator()(double t, std::span<float> out) const {
        for (float& x : out) x = static_cast<float>(bend * t * t);
    }
};

TEST_CASE("all points of a path and of a surface, of one's own too", "[paths][grid]") {
    tensor::buffer<float, 2> points({3, 4});
    std::vector<double> const places{0, 1, 3};
    paths::write_points<float>(parabola{2}, places, points.view());
    CHECK(points(0, 3) == 0);
    CHECK(points(2, 0) == 18);
    auto const product = [](double u, double v, std::span<float> out) { out[0] = static_cast<float>(u * v); };
    tensor::buffer<float, 2> values({6, 1});
    paths::write_points<float>(product, paths::surface_grid{paths::even_grid(0, 2, 3), paths::even_grid(5, 6, 2)},
                               values.view());
    CHECK(values(2, 0) == 10);
    CHECK(values(5, 0) == 12);
    CHECK_THROWS_AS(paths::write_points<float>(parabola{2}, std::vector<double>{0, 1}, points.view()), shape_error);
}

TEST_CASE("makers of paths are recognised", "[paths][concepts]") {
    auto const line = [](std::span<float const> a, std::span<float const> b) { return paths::linear<float>{a, b}; };
    auto const fixed = [](std::span<float const>, std::span<float const>) { return parabola{1}; };
    auto const number = [](std::span<float const>, std::span<float const>) { return 1; };
    STATIC_REQUIRE(paths::PathMaker<decltype(line), float>);
    STATIC_REQUIRE(paths::PathMaker<decltype(fixed), float>);
    STATIC_REQUIRE_FALSE(paths::PathMaker<decltype(number), float>);
    STATIC_REQUIRE(paths::Surface<paths::plane<float>, float>);
    STATIC_REQUIRE_FALSE(paths::Surface<paths::linear<float>, float>);
    STATIC_REQUIRE_FALSE(paths::Path<paths::plane<float>, float>);
}

TEST_CASE("grids without points are errors", "[paths][grid]") {
    CHECK_THROWS_AS(paths::even_grid(0, 1, GENERATE(-1, 0, 1)), usage_error);
    CHECK_THROWS_AS(paths::step_grid(0, 1, 0), usage_error);
    CHECK_NOTHROW(paths::step_grid(0, 1, 1));
}

}  // namespace
