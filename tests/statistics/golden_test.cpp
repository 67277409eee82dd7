// Statistics beside numpy and scipy.
#include <algorithm>
#include <array>
#include <vector>

#include "support/catch.hpp"
#include "support/science.hpp"

#include <plateau/statistics/binned_medians.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/region_count.hpp>
#include <plateau/statistics/running_covariance.hpp>
#include <plateau/statistics/summaries.hpp>

namespace {

using namespace plateau;
using plateau::index;
using testing::largest_difference;
using testing::number;
using testing::numbers;

void widen(double& worst, double a, double b) {
    worst = std::max(worst, largest_difference(std::vector{a}, std::vector{b}));
}

TEST_CASE("quantiles are those of numpy, of repeated values too", "[statistics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("quantiles")) {
        auto const values = numbers(c, "values"), q = numbers(c, "q"), expected = numbers(c, "quantiles"),
                   often = numbers(c, "often"), repeated = numbers(c, "repeated");
        for (std::size_t i = 0; i < q.size(); ++i) {
            widen(worst, statistics::quantile_of{q[i]}(values), expected[i]);
            widen(worst, statistics::quantile_of{q[i]}(values, often), repeated[i]);
        }
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("means and covariances are those of numpy", "[statistics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("covariance")) {
        auto const rows = testing::matrix(c, "rows");
        statistics::running_covariance running{rows.extent(1)};
        for (index first = 0; first < rows.extent(0); first += 9) {
            running.add(rows.view().rows(first, std::min(index{9}, rows.extent(0) - first)));
        }
        auto const expected = testing::matrix(c, "covariance"), likelihood = testing::matrix(c, "likelihood");
        auto const found = running.covariance(), maximum = running.covariance(0);
        worst = std::max(worst, largest_difference(running.mean(), numbers(c, "mean")));
        worst = std::max(worst, largest_difference(found.flat(), expected.flat()));
        worst = std::max(worst, largest_difference(maximum.flat(), likelihood.flat()));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("correlations, effects, normal quantiles, shares and bins are those of scipy", "[statistics][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("correlations")) {
        auto const x = numbers(c, "x"), y = numbers(c, "y");
        std::vector<std::array<double, 2>> points;
        for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y[i]});
        widen(worst, statistics::pearson(points), number(c, "pearson"));
        widen(worst, statistics::spearman(points), number(c, "spearman"));
        worst = std::max(worst, largest_difference(statistics::ranks_of(x), numbers(c, "ranks")));
    }
    auto const normal = testing::science("normal");
    std::vector<double> z;
    for (double p : numbers(normal, "p")) z.push_back(statistics::normal_quantile(p));
    worst = std::max(worst, largest_difference(z, numbers(normal, "z")));
    for (auto const& c : testing::science("shares")) {
        auto const found = statistics::wilson_share(c.at("k").get<index>(), c.at("n").get<index>(), number(c, "level"));
        widen(worst, found.low, number(c, "low"));
        widen(worst, found.high, number(c, "high"));
    }
    auto const bins = testing::science("bins");
    auto const found = statistics::binned_medians(numbers(bins, "x"), numbers(bins, "y"), 6);
    std::vector<double> medians;
    for (auto const& bin : found.of_bins) medians.push_back(bin.median);
    worst = std::max({worst, largest_difference(found.edges, numbers(bins, "edges")),
                      largest_difference(medians, numbers(bins, "medians"))});
    auto const effects = testing::science("effects");
    auto const x = numbers(effects, "x"), y = numbers(effects, "y");
    widen(worst, statistics::cohens_d(x, y), number(effects, "cohens_d"));
    widen(worst, statistics::cliffs_delta(x, y), number(effects, "cliffs_delta"));
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("permutation tests come near scipy's exact p", "[statistics][golden]") {
    auto const c = testing::science("permutations");
    statistics::permutation_options const many{.permutations = 20000, .seed = 3};
    double const two_sample = statistics::two_sample_test(numbers(c, "x"), numbers(c, "y"), statistics::mean, many).p;
    double const flips = statistics::sign_flip_test(numbers(c, "differences"), 1, statistics::mean, many).p;
    CHECK_THAT(two_sample, testing::WithinAbs(number(c, "two_sample"), 0.01));
    CHECK_THAT(flips, testing::WithinAbs(number(c, "sign_flip"), 0.015));
}

}  // namespace
