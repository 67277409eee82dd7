#include <plateau/statistics/simultaneous_band.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"

#include <plateau/core/normal.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/tensor/buffer.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::first_inside;
using statistics::simultaneous_band;
using vector = std::vector<double>;

constexpr index columns = 20;

/// The mean of `rows` curves about `centre` whose noise is a chain over the columns and grows along them.
vector mean_curve(vector const& centre, tensor::buffer<double, 2> const& rows, std::vector<std::size_t> const& drawn) {
    vector mean = centre;
    for (std::size_t const r : drawn) {
        for (index c = 0; c < columns; ++c)
            mean[static_cast<std::size_t>(c)] +=
                rows.view()(static_cast<index>(r), c) / static_cast<double>(drawn.size());
    }
    return mean;
}

struct coverage {
    double whole, point;  ///< share of repetitions whose band holds the true curve, at all points and at the last alone
};

/// Bootstraps of curves that rise to 1 at column 10 and stay there.
coverage of_planted_curves(index repetitions, index items, index resamples) {
    coverage share{0, 0};
    double const one = 1 / static_cast<double>(repetitions);
    vector truth;
    for (index c = 0; c < columns; ++c) truth.push_back(std::min(1.0, 0.1 * static_cast<double>(c)));
    for (index r = 0; r < repetitions; ++r) {
        counter_rng rng{static_cast<std::uint64_t>(104729 * r + 1)};
        tensor::buffer<double, 2> rows({items, columns});
        for (index i = 0; i < items; ++i) {
            double noise = standard_normal(rng);
            for (index c = 0; c < columns; ++c) {
                rows.view()(i, c) = noise * (0.1 + 0.01 * static_cast<double>(c));
                noise = 0.8 * noise + 0.6 * standard_normal(rng);
            }
        }
        std::vector<std::size_t> drawn(static_cast<std::size_t>(items));
        for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = i;
        auto const value = mean_curve(truth, rows, drawn);
        tensor::buffer<double, 2> replicates({resamples, columns});
        for (index b = 0; b < resamples; ++b) {
            for (auto& i : drawn) i = rng.below(static_cast<std::uint64_t>(items));
            auto const curve = mean_curve(truth, rows, drawn);
            std::copy(curve.begin(), curve.end(), replicates[b].data());
        }
        auto const band = simultaneous_band(value, replicates.view());
        bool inside = true;
        for (std::size_t c = 0; c < truth.size(); ++c)
            inside = inside && band.low[c] <= truth[c] && truth[c] <= band.high[c];
        share.whole += inside * one;
        share.point += (band.low.back() <= 1 && 1 <= band.high.back()) * one;
    }
    return share;
}

TEST_CASE("a band holds a whole planted curve about as often as it says", "[statistics][simultaneous_band]") {
    auto const found = of_planted_curves(200, 60, 200);
    CHECK(found.whole >= 0.89);  // 0.95 ± 0.015
    CHECK(found.whole <= 0.995);
    CHECK(found.point > found.whole);
}

TEST_CASE("bands of planted Gaussian curves cover as they say", "[statistics][simultaneous_band][coverage][full]") {
    auto const found = of_planted_curves(2000, 200, 600);
    WARN("bands hold the whole curve in " << found.whole << ", its last point in " << found.point);
    CHECK(found.whole >= 0.92);  // known to 0.5 %
    CHECK(found.whole <= 0.97);
}

TEST_CASE("columns that do not vary, or have no number, do not count", "[statistics][simultaneous_band]") {
    // columns: 0.1 throughout, ±1, a NaN replicate, ±2 about a value that is NaN
    vector const drawn{0.1, 1, 5, 2, 0.1, -1, NAN, -2, 0.1, 1, 5, 2};
    auto const found = simultaneous_band(vector{0.1, 0, 5, NAN}, {drawn.data(), {3, 4}});
    CHECK(found.low[0] == 0.1);
    CHECK(found.high[0] == 0.1);
    CHECK_THAT(found.factor, testing::WithinAbs(1 / std::sqrt(4.0 / 3), 1e-15));
    CHECK_THAT(found.low[1], testing::WithinAbs(-1, 1e-15));
    CHECK_THAT(found.high[1], testing::WithinAbs(1, 1e-15));
    CHECK(std::isnan(found.low[2]));
    CHECK(std::isnan(found.high[3]));
    CHECK_FALSE(first_inside(found).has_value());
    vector const tenths(11, 0.1);  // whose mean is not 0.1
    auto const tenth = simultaneous_band(vector{0.2}, {tenths.data(), {11, 1}});
    CHECK(tenth.factor == 0);
    CHECK(tenth.low[0] == 0.2);
    vector const still(12, 3.0);
    CHECK(simultaneous_band(vector{3, 3, 3}, {still.data(), {4, 3}}).factor == 0);
}

TEST_CASE("a clock is the last time that a band comes to hold the final value", "[statistics][simultaneous_band]") {
    statistics::band curve{{5, 1, 5, 4.5, 5}, {4, 0, 4, 4, 4}, {6, 2, 6, 5, 6}, 1};
    CHECK(first_inside(curve) == 2);  // 5 lies in the band of column 0 too, but not in that of 1
    curve.high[1] = 5;
    CHECK(first_inside(curve) == 0);
    curve.high[3] = NAN;
    CHECK(first_inside(curve) == 4);
    CHECK_FALSE(first_inside({}).has_value());
}

TEST_CASE("bands of unequal extents, of one replicate and of no level are errors", "[statistics][simultaneous_band]") {
    vector const drawn{1, 2, 3, 4};
    CHECK_THROWS_AS(simultaneous_band(vector{1}, {drawn.data(), {2, 2}}), shape_error);
    CHECK_THROWS_AS(simultaneous_band(vector{}, {drawn.data(), {2, 0}}), shape_error);
    CHECK_THROWS_AS(simultaneous_band(drawn, {drawn.data(), {1, 4}}), shape_error);
    CHECK_THROWS_AS(simultaneous_band(vector{1, 2}, {drawn.data(), {2, 2}}, 1), usage_error);
}

}  // namespace
