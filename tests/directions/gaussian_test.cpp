// Normal distributions: draws have the planted mean and covariance, by either kind of factor.

#include <plateau/directions/fit_gaussian.hpp>
#include <plateau/directions/principal_components.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/science.hpp"

namespace {

using namespace plateau;
using namespace plateau::directions;
using plateau::index;
using statistics::running_covariance;
using testing::WithinAbs;
using testing::WithinRel;

running_covariance drawn(gaussian const& sampler, index draws, std::uint64_t seed = 1) {
    tensor::buffer<double, 2> points({draws, sampler.width()});
    counter_rng rng{seed};
    for (index k = 0; k < draws; ++k) std::ranges::copy(sampler(rng), points[k].data());
    running_covariance seen{sampler.width()};
    seen.add(points.view());
    return seen;
}

/// The largest error of means and covariances, in units of their standard errors.
double largest_error(running_covariance const& seen, std::vector<double> const& mean,
                     tensor::buffer<double, 2> const& covariance) {
    double largest = 0, n = static_cast<double>(seen.count());
    auto const found = seen.covariance();
    for (index i = 0; i < seen.width(); ++i) {
        auto const k = static_cast<std::size_t>(i);
        largest = std::fmax(largest, std::abs(seen.mean()[k] - mean[k]) / std::sqrt(covariance(i, i) / n));
        for (index j = 0; j < seen.width(); ++j) {
            double const error =
                std::sqrt((covariance(i, i) * covariance(j, j) + covariance(i, j) * covariance(i, j)) / n);
            largest = std::fmax(largest, std::abs(found(i, j) - covariance(i, j)) / error);
        }
    }
    return largest;
}

running_covariance statistics_of(tensor::view<float const, 2> rows) {
    running_covariance seen{rows.extent(1)};
    seen.add(rows);
    return seen;
}

TEST_CASE("draws have the planted mean and covariance", "[directions][gaussian]") {
    std::vector<double> const mean{5, -2, 0.5};
    tensor::buffer<double, 2> covariance({3, 3});
    double const planted[3][3] = {{4, 1.2, -0.6}, {1.2, 1, 0.1}, {-0.6, 0.1, 0.25}};
    for (index i = 0; i < 3; ++i) {
        for (index j = 0; j < 3; ++j) covariance(i, j) = planted[i][j];
    }
    auto const sampler = fit_gaussian(mean, covariance);
    CHECK(sampler.rank() == 3);
    CHECK(largest_error(drawn(sampler, 40000), mean, covariance) < 4);
    covariance(0, 1) = covariance(1, 0) = 1.4;  // a wrong covariance would be seen
    CHECK(largest_error(drawn(sampler, 40000), mean, covariance) > 4);
}

TEST_CASE("rows alone give the same distribution as their covariance, shrunk or not", "[directions][gaussian]") {
    double const shrinkage = GENERATE(0.0, 0.3);
    auto const rows = testing::random_buffer<float, 2>({40, 5}, 3, 2);
    auto const seen = statistics_of(rows);
    auto covariance = seen.covariance();
    shrink(covariance, shrinkage);
    auto const from_rows = fit_gaussian<float>(rows, shrinkage), from_covariance = fit_gaussian(seen, shrinkage);
    CHECK(from_rows.rank() == 40);
    CHECK(from_covariance.rank() == 5);
    CHECK(testing::largest_difference(from_rows.mean(), seen.mean()) < 1e-14);
    CHECK(largest_error(drawn(from_rows, 20000), seen.mean(), covariance) < 4.5);
    CHECK(largest_error(drawn(from_covariance, 20000), seen.mean(), covariance) < 4.5);
}

TEST_CASE("fewer samples than dimensions: rows draw within their own space, a covariance says what to do",
          "[directions][gaussian][errors]") {
    index const width = 65;
    auto const rows = testing::random_buffer<float, 2>({4, width}, 3);
    auto const seen = statistics_of(rows);
    counter_rng rng{1};
    auto const x = fit_gaussian<float>(rows, 0)(rng);
    // what of x − μ is left when its shares along the three differences are taken away
    std::vector<std::vector<double>> basis;
    std::vector<double> rest(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) rest[i] = x[i] - seen.mean()[i];
    double const before = std::sqrt(tensor::dot(std::span<double>{rest}, std::span<double>{rest}));
    for (index k = 1; k < 4; ++k) {
        std::vector<double> e(x.size());
        for (std::size_t i = 0; i < e.size(); ++i)
            e[i] = double{rows(k, static_cast<index>(i))} - double{rows(0, static_cast<index>(i))};
        basis.push_back(e);
        for (std::size_t j = 0; j + 1 < basis.size(); ++j) {
            double const share = tensor::dot(std::span<double>{basis[j]}, std::span<double>{basis.back()});
            for (std::size_t i = 0; i < e.size(); ++i) basis.back()[i] -= share * basis[j][i];
        }
        double const length = std::sqrt(tensor::dot(std::span<double>{basis.back()}, std::span<double>{basis.back()}));
        for (double& one : basis.back()) one /= length;
        double const share = tensor::dot(std::span<double>{basis.back()}, std::span<double>{rest});
        for (std::size_t i = 0; i < e.size(); ++i) rest[i] -= share * basis.back()[i];
    }
    CHECK(before > 1);
    CHECK(std::sqrt(tensor::dot(std::span<double>{rest}, std::span<double>{rest})) < 1e-12 * before);

    CHECK_THROWS_AS(fit_gaussian(seen, 0.0), domain_error);
    CHECK(fit_gaussian(seen, 0.1).rank() == width);
    CHECK(fit_gaussian(seen, 0.0, not_definite::clip).rank() == width);
    CHECK_THROWS_AS((fit_gaussian<float>(rows.view().rows(0, 1), 0.5)), shape_error);
    CHECK_THROWS_AS(fit_gaussian(running_covariance{3}, 0.5), shape_error);
}

TEST_CASE("rows of 8192 dimensions need no matrix of 8192 squared, and draws have their variance",
          "[directions][gaussian]") {
    auto const rows = testing::random_buffer<float, 2>({12, 8192}, 3, 2);
    auto const sampler = fit_gaussian<float>(rows, 0.2);
    CHECK(sampler.rank() == 12);
    double variance = 0, drawn_variance = 0;
    for (index i = 0; i < 8192; ++i) {
        double squares = 0;
        for (index k = 0; k < 12; ++k) squares += std::pow(rows(k, i) - sampler.mean()[static_cast<std::size_t>(i)], 2);
        variance += squares / 11;
    }
    counter_rng rng{1};
    index const draws = 200;
    for (index k = 0; k < draws; ++k) {
        auto const x = sampler(rng);
        for (std::size_t i = 0; i < x.size(); ++i)
            drawn_variance += std::pow(x[i] - sampler.mean()[i], 2) / static_cast<double>(draws);
    }
    CHECK_THAT(drawn_variance, WithinRel(variance, 0.1));  // four standard errors: 0.8 √(2 / 11 / 200)
}

TEST_CASE("a singular covariance is refused, or clipped to the nearest", "[directions][gaussian][errors]") {
    tensor::buffer<double, 2> covariance({2, 2});
    covariance(0, 0) = covariance(0, 1) = covariance(1, 0) = 1;
    covariance(1, 1) = 0.25;  // eigenvalues 1.69 and −0.44
    CHECK_THROWS_AS(fit_gaussian({0, 0}, covariance), domain_error);
    auto const eigen = tensor::eigen_of_symmetric(covariance);
    REQUIRE(eigen.values[0] < 0);
    tensor::buffer<double, 2> nearest({2, 2});
    for (index i = 0; i < 2; ++i) {
        for (index j = 0; j < 2; ++j) nearest(i, j) = eigen.values[1] * eigen.vectors(1, i) * eigen.vectors(1, j);
    }
    CHECK(largest_error(drawn(fit_gaussian({0, 0}, covariance, not_definite::clip), 20000), {0, 0}, nearest) < 4);
    tensor::buffer<double, 2> const nothing({2, 2});
    counter_rng rng{1};
    CHECK(fit_gaussian({3, 4}, nothing, not_definite::clip)(rng) == std::vector<double>{3, 4});
    CHECK_THROWS_AS(fit_gaussian({3, 4}, nothing), domain_error);
}

TEST_CASE("NaN, wrong shapes and impossible shrinkage are errors", "[directions][gaussian][errors]") {
    auto rows = testing::random_buffer<float, 2>({6, 2}, 3);
    auto const fine = statistics_of(rows);
    for (double const shrinkage : {-0.1, 1.1, std::nan("")}) {
        CHECK_THROWS_AS(fit_gaussian(fine, shrinkage), domain_error);
        CHECK_THROWS_AS((fit_gaussian<float>(rows, shrinkage)), domain_error);
    }
    CHECK_THROWS_AS(fit_gaussian({1, 2, 3}, fine.covariance()), shape_error);
    CHECK_THROWS_AS((gaussian{{}, tensor::buffer<double, 2>{{0, 0}}}), shape_error);
    CHECK_THROWS_AS((gaussian{{1, 2}, tensor::buffer<double, 2>{{1, 3}}}), shape_error);
    CHECK_THROWS_AS((gaussian{{1, 2}, tensor::buffer<double, 2>{{1, 2}}, -1}), domain_error);
    CHECK_THROWS_AS((gaussian{{1, std::nan("")}, tensor::buffer<double, 2>{{1, 2}}}), domain_error);
    rows(3, 1) = std::nanf("");
    CHECK_THROWS_AS((fit_gaussian<float>(rows, 0.1)), domain_error);
    CHECK_THROWS_AS(fit_gaussian(statistics_of(rows), 0.1), domain_error);
    CHECK_THROWS_AS((principal_components_of_rows<float>(rows, 1)), domain_error);
    CHECK_THROWS_AS(principal_components_of(statistics_of(rows).covariance(), 1), domain_error);
}

TEST_CASE("shrinkage: 0 changes nothing, 1 is a sphere of the same total variance", "[directions][shrinkage]") {
    auto const seen = statistics_of(testing::random_buffer<float, 2>({20, 7}, 3));
    auto const before = seen.covariance();
    auto after = seen.covariance();
    shrink(after, 0);
    CHECK(testing::largest_difference(after.flat(), before.flat()) == 0);
    shrink(after, 1);
    for (index i = 0; i < 7; ++i) {
        for (index j = 0; j < 7; ++j) CHECK_THAT(after(i, j), WithinAbs(i == j ? mean_variance(before) : 0, 1e-14));
    }
    CHECK(oas_shrinkage(after, 20) == 1);
    CHECK_THROWS_AS(oas_shrinkage(after, 0), shape_error);
    CHECK_THROWS_AS((ledoit_wolf_shrinkage<float>(testing::random_buffer<float, 2>({0, 7}, 3))), shape_error);
}

TEST_CASE("principal components of rows are those of their covariance; asking for more than there are is an error",
          "[directions][principal_components]") {
    auto const rows = testing::random_buffer<float, 2>({6, 9}, 3);
    auto const wide = principal_components_of_rows<float>(rows, 5);
    auto const full = principal_components_of(statistics_of(rows).covariance(), 5);
    CHECK(testing::largest_difference(wide.variances, full.variances) < 1e-12);
    CHECK(testing::largest_difference(wide.components.flat(), full.components.flat()) < 1e-10);
    for (index i = 0; i < 5; ++i) {
        for (index j = 0; j < 5; ++j)
            CHECK_THAT(tensor::dot(full.components[i].flat(), full.components[j].flat()), WithinAbs(i == j, 1e-12));
    }
    CHECK_THROWS_AS((principal_components_of_rows<float>(rows, 6)), domain_error);
    CHECK_THROWS_AS(principal_components_of(statistics_of(rows).covariance(), 6), domain_error);
    CHECK_THROWS_AS(principal_components_of(statistics_of(rows).covariance(), 0), domain_error);
    CHECK_THROWS_AS((principal_components_of_rows<float>(rows.view().rows(0, 1), 1)), shape_error);
}

TEST_CASE("shrinkage and principal components agree with scikit-learn", "[directions][golden]") {
    for (auto const& one : testing::science("directions")) {
        auto const rows = testing::matrix(one, "rows");
        running_covariance seen{rows.extent(1)};
        seen.add(rows.view());
        CHECK_THAT(oas_shrinkage(seen.covariance(0), rows.extent(0)), WithinRel(testing::number(one, "oas"), 1e-10));
        CHECK_THAT(ledoit_wolf_shrinkage<double>(rows), WithinRel(testing::number(one, "ledoit_wolf"), 1e-10));
        auto shrunk = seen.covariance(0);
        shrink(shrunk, testing::number(one, "ledoit_wolf"));
        auto const expected_shrunk = testing::matrix(one, "shrunk");
        CHECK(testing::largest_difference(shrunk.flat(), expected_shrunk.flat()) < 1e-10);
        auto const expected = testing::matrix(one, "components");
        auto const found = principal_components_of(seen.covariance(), expected.extent(0));
        CHECK(testing::largest_difference(found.variances, testing::numbers(one, "variances")) < 1e-10);
        CHECK(testing::largest_difference(found.components.flat(), expected.flat()) < 1e-10);
        auto const by_rows = principal_components_of_rows<double>(rows, expected.extent(0));
        CHECK(testing::largest_difference(by_rows.components.flat(), expected.flat()) < 1e-10);
    }
}

}  // namespace
