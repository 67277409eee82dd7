#include <plateau/statistics/partial_correlation.hpp>

#include <array>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using statistics::partial_pearson;
using statistics::partial_spearman;
using vector = std::vector<double>;
using vectors = std::vector<vector>;

TEST_CASE("what a covariate explains is no correlation of its own", "[statistics][partial_correlation]") {
    auto const cause = testing::random_vector<double>(2000, 1);
    auto x = testing::random_vector<double>(2000, 2), y = testing::random_vector<double>(2000, 3);
    for (std::size_t i = 0; i < cause.size(); ++i) x[i] += 2 * cause[i], y[i] -= 2 * cause[i];
    CHECK(partial_spearman(x, y, vectors{}) < -0.7);
    CHECK(std::abs(partial_spearman(x, y, vectors{cause})) < 0.07);
    CHECK(std::abs(partial_pearson(x, y, vectors{cause})) < 0.07);
    for (std::size_t i = 0; i < cause.size(); ++i) y[i] += x[i];
    CHECK(partial_pearson(x, y, vectors{cause}) > 0.6);
}

TEST_CASE("without covariates it is the plain correlation, and repeated ones change nothing",
          "[statistics][partial_correlation]") {
    auto const x = testing::random_vector<double>(65, 1), y = testing::random_vector<double>(65, 2),
               z = testing::random_vector<double>(65, 3), w = testing::random_vector<double>(65, 4);
    std::vector<std::array<double, 2>> points;
    for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y[i]});
    CHECK_THAT(partial_pearson(x, y, vectors{}), testing::WithinAbs(statistics::pearson(points), 1e-14));
    CHECK_THAT(partial_spearman(x, y, vectors{}), testing::WithinAbs(statistics::spearman(points), 1e-14));
    double const once = partial_spearman(x, y, vectors{z, w});
    CHECK_THAT(partial_spearman(x, y, vectors{w, z, z, vector(65, 0.1), w}), testing::WithinAbs(once, 1e-13));
    vector cubed;
    for (double value : x) cubed.push_back(1e6 + value * value * value);
    CHECK(partial_spearman(cubed, y, vectors{z, w}) == once);  // ranks alone count
}

TEST_CASE("what is left of a list has nothing of the basis, however little it is",
          "[statistics][partial_correlation]") {
    auto direction = testing::random_vector<double>(129, 1);
    REQUIRE(statistics::detail::residualise(direction, {}));
    double const length = std::sqrt(tensor::dot(std::span{direction}, std::span{direction}));
    for (double& value : direction) value /= length;
    auto list = testing::random_vector<double>(129, 2, 1e-8);
    for (std::size_t i = 0; i < list.size(); ++i) list[i] += 3 * direction[i];
    REQUIRE(statistics::detail::residualise(list, {direction}));
    double const left = std::sqrt(tensor::dot(std::span{list}, std::span{list}));
    CHECK(left < 2e-7);
    CHECK(std::abs(tensor::dot(std::span{list}, std::span{direction})) < 1e-14 * left);
}

TEST_CASE("partial correlations that are not defined are NaN", "[statistics][partial_correlation]") {
    vector const x{1, 5, 2, 4, 3}, y{2, 1, 5, 4, 3}, constant(5, 0.1);
    CHECK(std::isnan(partial_pearson(constant, y, vectors{})));
    CHECK(std::isnan(partial_pearson(x, constant, vectors{y})));
    CHECK(std::isnan(partial_spearman(x, y, vectors{x})));
    CHECK(std::isnan(partial_spearman(x, y, vectors{y})));
    CHECK(std::isnan(partial_pearson({}, {}, vectors{})));
    CHECK(std::isnan(partial_pearson(vector{1, 2}, vector{2, 1}, vectors{vector{1, 3}})));  // nothing is left of two
    for (double const none : {std::nan(""), static_cast<double>(INFINITY)}) {
        CHECK(std::isnan(partial_pearson(vector{1, 2, none, 4}, vector{1, 3, 2, 2}, vectors{})));
        CHECK(std::isnan(partial_pearson(vector{1, 2, 0, 4}, vector{1, 3, 2, 2}, vectors{vector{1, none, 2, 3}})));
    }
    CHECK(std::isnan(partial_spearman(vector{1, 2, NAN, 4}, vector{1, 3, 2, 2}, vectors{})));
    CHECK(std::isnan(partial_spearman(vector{1, 2, 0, 4}, vector{1, 3, 2, 2}, vectors{vector{1, NAN, 2, 3}})));
    CHECK_THROWS_AS(partial_pearson(x, vector{1}, vectors{}), shape_error);
    CHECK_THROWS_AS(partial_spearman(x, y, vectors{vector{1, 2}}), shape_error);
}

}  // namespace
