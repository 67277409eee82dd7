#include <plateau/viz/bins.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::viz;
using plateau::index;

index total(bins const& histogram) {
    return std::accumulate(histogram.counts.begin(), histogram.counts.end(), histogram.below + histogram.above);
}

TEST_CASE("every value is counted once, between round edges", "[viz][bins]") {
    int const seed = GENERATE(range(0, 20));
    auto const count = static_cast<std::size_t>(GENERATE(1, 2, 7, 300, 5000));
    std::vector<double> values;
    plateau::counter_rng rng{static_cast<std::uint64_t>(seed)};
    for (std::size_t i = 0; i < count; ++i)
        values.push_back(1 + static_cast<double>(seed) * rng.uniform() * rng.uniform());
    std::sort(values.begin(), values.end());
    auto const histogram = bins_of(values);
    CHECK(total(histogram) == static_cast<index>(count));
    CHECK(histogram.counts.size() >= 1);
    CHECK(histogram.counts.size() <= 42);
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        auto const inside = std::count_if(values.begin(), values.end(), [&](double value) {
            double const place = (value - histogram.first) / histogram.width + 1e-9;
            return place >= static_cast<double>(i) && place < static_cast<double>(i + 1);
        });
        CHECK(histogram.counts[i] == inside);
    }
}

TEST_CASE("equal values share one bin around them", "[viz][bins]") {
    double const value = GENERATE(-3.0, 0.0, 1.0, 4.25, 49.0);
    auto const histogram = bins_of(std::vector<double>(5, value));
    CHECK(histogram.counts == std::vector<index>{5});
    CHECK(histogram.first < value);
    CHECK(histogram.last() > value);
}

TEST_CASE("stragglers are counted beside the bins", "[viz][bins]") {
    std::vector<double> values{-1e200, -50};
    for (int i = 0; i < 100; ++i) values.push_back(2 + 0.01 * i);
    for (double far : {40.0, 1e5, 1e300}) values.push_back(far);
    auto const histogram = bins_of(values);
    CHECK(histogram.below == 2);
    CHECK(histogram.above == 3);
    CHECK(total(histogram) == 105);
    CHECK(histogram.first >= 1.9);
    CHECK(histogram.last() <= 3.1);
}

TEST_CASE("absurd and missing values do no harm", "[viz][bins]") {
    CHECK(bins_of({}).counts.empty());
    CHECK(total(bins_of(std::vector<double>{-1e308, -1e307, 0, 1e307, 1e308})) == 5);
    CHECK(total(bins_of(std::vector<double>{1e300, 1e300, 1e301})) == 3);
    CHECK(total(bins_of(std::vector<double>{0, 5e-324})) == 2);
}

}  // namespace
