#include <plateau/viz/curve_band.hpp>

#include <limits>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace plateau::viz;
using plateau::index;
using view = plateau::tensor::view<double const, 2>;

double const nan = std::numeric_limits<double>::quiet_NaN();
double const infinity = std::numeric_limits<double>::infinity();

TEST_CASE("the band has the pointwise quartiles of the finite curves", "[viz][curve_band]") {
    std::vector<double> const curves{0, 0.1, 1, nan, nan, nan, 0, 0.5, 1, 0, infinity, 1, 0, 0.2, 1};
    auto const band = band_of(view{curves.data(), {5, 3}});
    CHECK(band.curves == std::vector<index>{0, 2, 4});
    CHECK(band.q25[1] == 0.1 + 0.5 * (0.2 - 0.1));
    CHECK(band.median == std::vector<double>{0, 0.2, 1});
    CHECK(band.q75[1] == 0.5 - 0.5 * (0.5 - 0.2));
}

TEST_CASE("without a finite curve the band is empty", "[viz][curve_band]") {
    std::vector<double> const curves{nan, nan, 0, nan};
    view const all{curves.data(), {2, 2}};
    CHECK(band_of(all).median.empty());
    CHECK(shown_range(all, band_of(all)).low == 0);
    CHECK(shown_range(all, band_of(all)).high == 1);
    CHECK(band_of(view{nullptr, {0, 2}}).curves.empty());
}

TEST_CASE("few wild curves do not squash the picture, the band is always inside", "[viz][curve_band]") {
    std::vector<double> curves;
    for (int p = 0; p < 100; ++p) {
        double const middle = p == 7 ? 1e8 : p == 9 ? -400 : 0.01 * p;
        curves.insert(curves.end(), {0, middle, 1});
    }
    view const all{curves.data(), {100, 3}};
    auto const range = shown_range(all, band_of(all));
    CHECK(range.low >= -0.5);
    CHECK(range.low <= 0);
    CHECK(range.high >= 1);
    CHECK(range.high <= 1.5);

    std::vector<double> const overshoot{0, 3, 1, 0, 3, 1, 0, -2, 1};
    view const three{overshoot.data(), {3, 3}};
    auto const wide = shown_range(three, band_of(three));
    CHECK(wide.high >= 3);
    CHECK(wide.low <= band_of(three).q25[1]);
}

}  // namespace
