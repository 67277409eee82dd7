// Labelings, assignments, partial correlations, bands and associations beside numpy, scipy and scikit-learn.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/science.hpp"

#include <plateau/statistics/adjusted_mutual_information.hpp>
#include <plateau/statistics/assignment.hpp>
#include <plateau/statistics/contingency.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/partial_correlation.hpp>
#include <plateau/statistics/permuted_association.hpp>
#include <plateau/statistics/simultaneous_band.hpp>

namespace {

using namespace plateau;
using plateau::index;
using testing::largest_difference;
using testing::number;
using testing::numbers;

std::vector<double> all_of(statistics::information const& found) {
    return {found.x, found.y, found.x_given_y, found.y_given_x, found.mutual};
}

TEST_CASE("tables and their information are those of scikit-learn and scipy", "[statistics][contingency][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("labelings")) {
        auto const x = c.at("x").get<std::vector<index>>(), y = c.at("y").get<std::vector<index>>();
        auto const table = statistics::contingency_of(x, y);
        std::vector<index> cells;
        for (auto const& cell : table.cells) cells.push_back(cell.n);
        CHECK(cells == c.at("cells").get<std::vector<index>>());
        std::vector<double> const scores{statistics::plug_in_information(table).mutual, statistics::homogeneity(table),
                                         statistics::completeness(table)};
        std::vector<double> const expected{number(c, "mutual"), number(c, "homogeneity"), number(c, "completeness")};
        worst = std::max(
            {worst, largest_difference(all_of(statistics::plug_in_information(table)), numbers(c, "plug_in")),
             largest_difference(all_of(statistics::miller_madow_information(table)), numbers(c, "miller_madow")),
             largest_difference(scores, expected)});
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("adjusted mutual information is that of scikit-learn", "[statistics][adjusted_mutual_information][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("labelings")) {
        auto const table =
            statistics::contingency_of(c.at("x").get<std::vector<index>>(), c.at("y").get<std::vector<index>>());
        std::vector<double> const found{statistics::expected_mutual_information(table),
                                        statistics::adjusted_mutual_information(table)},
            expected{number(c, "expected"), number(c, "adjusted")};
        INFO("of " << table.n << " items " << found[0] << " and " << found[1]);
        CHECK(largest_difference(found, expected) <= 1e-10);
        worst = std::max(worst, largest_difference(found, expected));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("assignments are those of scipy", "[statistics][assignment][golden]") {
    for (auto const& c : testing::science("assignments")) {
        auto const weights = testing::matrix(c, "weights");
        auto const found = statistics::optimal_assignment(weights.view());
        CHECK_THAT(found.total, testing::WithinAbs(number(c, "total"), 1e-10));
        if (!c.at("ties").get<bool>()) CHECK(found.column_of == c.at("column_of").get<std::vector<index>>());
    }
}

TEST_CASE("partial correlations are those of residuals by lstsq", "[statistics][partial_correlation][golden]") {
    double worst = 0;
    for (auto const& c : testing::science("partial_correlations")) {
        auto const x = numbers(c, "x"), y = numbers(c, "y");
        auto const covariates = c.at("covariates").get<std::vector<std::vector<double>>>();
        std::vector<double> const found{statistics::partial_pearson(x, y, covariates),
                                        statistics::partial_spearman(x, y, covariates)};
        worst = std::max(worst, largest_difference(found, std::vector{number(c, "pearson"), number(c, "spearman")}));
    }
    INFO("largest difference " << worst);
    CHECK(worst <= 1e-10);
}

TEST_CASE("bands and their clocks are those of numpy", "[statistics][simultaneous_band][golden]") {
    for (auto const& c : testing::science("bands")) {
        auto const replicates = testing::matrix(c, "replicates");
        auto const found = statistics::simultaneous_band(numbers(c, "value"), replicates.view(), number(c, "level"));
        CHECK_THAT(found.factor, testing::WithinAbs(number(c, "factor"), 1e-10));
        CHECK(largest_difference(found.low, numbers(c, "low")) <= 1e-10);
        CHECK(largest_difference(found.high, numbers(c, "high")) <= 1e-10);
        CHECK(statistics::first_inside(found) == c.at("first_inside").get<index>());
    }
}

TEST_CASE("tests of association come near the p of all permutations", "[statistics][permuted_association][golden]") {
    auto const c = testing::science("associations");
    auto const x = numbers(c, "x"), exact = numbers(c, "alone"), together = numbers(c, "family"),
               statistic = numbers(c, "statistic");
    auto const y = c.at("y").get<std::vector<std::vector<double>>>();
    statistics::permutation_options const many{.permutations = 20000, .seed = 3};
    auto const family = statistics::family_wise_associations(x, y, statistics::pearson, many);
    for (std::size_t h = 0; h < y.size(); ++h) {
        auto const alone = statistics::permuted_association(x, y[h], statistics::pearson, many);
        CHECK_THAT(alone.statistic, testing::WithinAbs(statistic[h], 1e-12));
        CHECK_THAT(alone.p, testing::WithinAbs(exact[h], 0.012));  // 3.4 standard errors at most
        CHECK_THAT(family[h].p, testing::WithinAbs(together[h], 0.012));
        CHECK(family[h].p >= alone.p);
    }
}

}  // namespace
