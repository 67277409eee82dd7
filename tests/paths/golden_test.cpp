// Paths beside scipy and numpy.
#include <vector>

#include "support/catch.hpp"
#include "support/science.hpp"

#include <plateau/paths/additive_map.hpp>
#include <plateau/paths/exp_map.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/slerp.hpp>
#include <plateau/paths/slerp_rescaled.hpp>

namespace {

using namespace plateau;
using testing::largest_difference;
using testing::number;
using testing::numbers;

double worst = 0;

void check(double difference) {
    worst = std::max(worst, difference);
    CHECK(difference <= 1e-10);
}

TEST_CASE("paths agree with scipy", "[paths][golden]") {
    worst = 0;
    for (auto const& c : testing::science("circles")) {
        auto const a = numbers(c, "a"), b = numbers(c, "b"), t = numbers(c, "t"), norms = numbers(c, "norms"),
                   d1 = numbers(c, "d1");
        auto const expected = testing::matrix(c, "unit_slerp");
        auto const unit_a = paths::unit(std::span{a}, "a"), unit_b = paths::unit(std::span{b}, "b");
        paths::slerp<double> const on_sphere{unit_a, unit_b};
        paths::slerp_rescaled<double> const rescaled{a, b};
        std::vector<double> x(a.size());
        for (std::size_t k = 0; k < t.size(); ++k) {
            auto row = expected[static_cast<plateau::index>(k)].flat();
            on_sphere(t[k], x);
            check(largest_difference(x, row));
            rescaled(t[k], x);
            for (double& value : x) value /= norms[k];
            check(largest_difference(x, row));
        }
        paths::exp_map<double>{a, d1}(number(c, "angle"), x);
        check(largest_difference(x, numbers(c, "turned")));
        if (!c.contains("d2")) continue;
        auto const d2 = numbers(c, "d2"), alpha = numbers(c, "alpha");
        paths::exp_surface<double>{a, d1, d2}(alpha[0], alpha[1], x);
        check(largest_difference(x, numbers(c, "turned_2d")));
        paths::additive_surface<double>{a, d1, d2}(alpha[0], alpha[1], x);
        check(largest_difference(x, numbers(c, "added_2d")));
    }
    for (auto const& c : testing::science("grids")) {
        check(largest_difference(
            paths::even_grid(number(c, "first"), number(c, "last"), c.at("count").get<plateau::index>()),
            numbers(c, "grid")));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

}  // namespace
