#include <plateau/sweep/blow_up.hpp>

#include <plateau/sweep/blow_up_statistics.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/sweeps.hpp"

namespace {

using plateau::index;
using plateau::testing::WithinAbs;
namespace sweep = plateau::sweep;
using sweep::ray_kinds;
using vector = std::vector<double>;

TEST_CASE("rays lead from every centre toward every target by unit vectors", "[sweep][blow_up_rays]") {
    auto const model = sweeps::random_model<double>();
    plateau::prompt_list const prompts{{1, 2, 3}, {4, 5, 6}, {7, 8, 9, 10}};
    auto const fit = sweep::fit_activations(model(1), prompts, {"blocks.0.hook_resid_post", prompts});
    sweep::sparse_features<double> const* const none = nullptr;
    auto const rays = sweep::draw_rays(fit, none, {.seed = 3, .real_norm = true});
    CHECK(rays.kinds.count() == 6);
    CHECK(rays.units.extent(0) == 18);
    for (index r = 0; r < 18; ++r) {
        double squares = 0;
        for (double const x : rays.units[r].flat()) squares += x * x;
        CHECK_THAT(squares, WithinAbs(1, 1e-12));
    }
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(std::ranges::equal(rays.centres[static_cast<index>(i)].flat(), fit.real[static_cast<index>(i)].flat()));
        CHECK(rays.norms[i] == fit.norms[i]);
        CHECK_THAT(rays.norms[3 + i], WithinAbs(fit.norms[i], 1e-12));
    }
    // isotropic targets are the same direction for all centres
    CHECK(std::ranges::equal(rays.units[2 * 3].flat(), rays.units[5 * 3].flat()));
    CHECK(ray_kinds::name(ray_kinds::of(1, 2)) == "gaussian toward isotropic");

    auto const curves = sweep::measure_blow_up(model(1), prompts, rays, {0, 0.1, 0.2, 0.3, 0.4},
                                               {.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"});
    for (index r = 0; r < 18; ++r) {
        CHECK(curves.distances(r, 0) == 0);
        CHECK(curves.kl(r, 0) == 0);
        CHECK(curves.distances(r, 4) > 0);
    }
    CHECK(curves.distances_at(2, 4) == vector{curves.distances(6, 4), curves.distances(7, 4), curves.distances(8, 4)});
}

TEST_CASE("plateaus end where distance and divergence grow most", "[sweep][blow_up]") {
    using matrix = plateau::tensor::buffer<double, 2>;
    sweep::blow_up_curves curves{1, {0, 1, 2, 3, 4}, matrix{{1, 5}}, matrix{{1, 5}}};
    std::ranges::copy(vector{0, 1, 2, 6, 7}, curves.distances.data());
    std::ranges::copy(vector{0, 1, 2, 8, 9}, curves.kl.data());
    auto const ends = sweep::ends_of(curves, 0.5, 3);
    CHECK(ends.max_slope_step == vector{2});
    CHECK(ends.blow_up_max == vector{2});  // of the steps 1 and 2
    CHECK(ends.area == vector{1});         // (0.5 + 1.5) · 0.5
    CHECK(ends.area_fixed == vector{3});   // 4 · 0.5 more
    CHECK(curves.of_kind(ends.area, 0)[0] == 1);
    CHECK(sweep::median_distances(curves, 0, {})[3].value == 6);
    curves.kl(0, 2) = std::nan("");
    CHECK_THROWS_AS(sweep::require_finite(curves, "here"), plateau::numeric_error);
}

TEST_CASE("shares of plateaus that have ended, and kinds that are compared", "[sweep][blow_up_statistics]") {
    CHECK(sweep::share_ended(vector{0, 2, 2, 1}, 4) == vector{0, 0.25, 0.5, 1});
    auto const two = sweep::ray_comparisons({2}), four = sweep::ray_comparisons({4});
    REQUIRE(two.size() == 5);
    CHECK(four.size() == 11);
    CHECK(two[1].name == "real - gaussian centre, toward gaussian");
    CHECK(two[1].x == 1);
    CHECK(two[1].y == 4);
    CHECK(two[4].name == "isotropic - toward gaussian, real centre");
}

}  // namespace
