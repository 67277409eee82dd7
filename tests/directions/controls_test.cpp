// Matched controls keep what they promise to keep.

#include <plateau/directions/controls.hpp>
#include <plateau/directions/published_normalisation.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/science.hpp"

namespace {

using namespace plateau;
using namespace plateau::directions;
using plateau::index;
using testing::largest_difference;
using testing::WithinRel;
using vector = std::vector<double>;

std::span<double const> of(vector const& x) { return x; }

double norm(vector const& x) { return std::sqrt(tensor::dot(of(x), of(x))); }

double distance(vector const& x, vector const& y) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return std::sqrt(sum);
}

TEST_CASE("each control keeps its quantity and changes the direction", "[directions][controls]") {
    index const width = GENERATE(2, 7, 65);
    auto const a = testing::random_vector<double>(width, 1, 3), x = testing::random_vector<double>(width, 2, 2),
               d = testing::random_vector<double>(width, 3);

    auto const longer = rescaled(of(d), 5.5);
    CHECK_THAT(norm(longer), WithinRel(5.5, 1e-12));
    CHECK(paths::angle(of(longer), of(d)) < 1e-14);

    auto const far = equal_error(of(a), of(x), of(d));
    CHECK_THAT(distance(far, a), WithinRel(distance(x, a), 1e-12));
    vector step(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) step[i] = far[i] - a[i];
    CHECK(paths::angle(of(step), of(d)) < 1e-13);

    for (auto const whose : {control_norm::of_activation, control_norm::of_reference}) {
        auto const turned = equal_cosine(of(a), of(x), of(d), whose);
        CHECK_THAT(paths::angle(of(a), of(turned)), WithinRel(paths::angle(of(a), of(x)), 1e-12));
        CHECK_THAT(norm(turned), WithinRel(norm(whose == control_norm::of_activation ? a : x), 1e-12));
        if (width > 2) CHECK(distance(turned, x) > 0.1);
        // it turns towards d: the part across a is along that of d
        auto const across = parts_of(of(a), of(turned)).angular, wanted = parts_of(of(a), of(d)).angular;
        CHECK(paths::angle(of(across), of(wanted)) < 1e-12);
    }

    auto const parts = parts_of(of(a), of(d));
    vector sum(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) sum[i] = parts.radial[i] + parts.angular[i];
    CHECK(largest_difference(sum, d) < 1e-14);
    CHECK(std::abs(tensor::dot(of(parts.angular), of(a))) < 1e-12 * norm(a) * norm(d));
    CHECK(std::abs(std::sin(paths::angle(of(parts.radial), of(a)))) < 1e-12);
}

TEST_CASE("angular and radial points are equally far: one keeps the norm, the other the direction",
          "[directions][controls]") {
    auto const a = testing::random_vector<double>(33, 1, 3), d = testing::random_vector<double>(33, 3);
    for (double const share : {1e-6, 0.1, 1.0, 1.9}) {
        double const s = share * norm(a);
        auto const turned = angular_point(of(a), s, of(d)), stretched = radial_point(of(a), s);
        CHECK_THAT(distance(turned, a), WithinRel(s, 1e-8));
        CHECK_THAT(distance(stretched, a), WithinRel(s, 1e-8));
        CHECK_THAT(norm(turned), WithinRel(norm(a), 1e-12));
        CHECK(paths::angle(of(stretched), of(a)) < 1e-14);
    }
    CHECK(angular_point(of(a), 0, of(d)) == a);
    CHECK_THAT(distance(radial_point(of(a), -0.5 * norm(a)), a), WithinRel(0.5 * norm(a), 1e-12));
    CHECK_THROWS_AS(angular_point(of(a), 2.1 * norm(a), of(d)), domain_error);
    CHECK_THROWS_AS(angular_point(of(a), -1, of(d)), domain_error);
    CHECK_THROWS_AS(angular_point(of(a), std::nan(""), of(d)), domain_error);
    CHECK_THROWS_AS(radial_point(of(a), -norm(a)), domain_error);
}

TEST_CASE("references at a, parallel to it or opposite have controls all the same", "[directions][controls]") {
    vector const a{3, 0, 4}, d{0, 1, 0}, opposite{-3, 0, -4};
    CHECK(equal_error(of(a), of(a), of(d)) == a);
    CHECK(largest_difference(equal_cosine(of(a), of(a), of(d), control_norm::of_activation), a) < 1e-15);
    CHECK(largest_difference(equal_cosine(of(a), of(opposite), of(d), control_norm::of_activation), opposite) < 1e-14);
}

TEST_CASE("zero vectors, parallel directions, NaN and unequal lengths are errors", "[directions][controls][errors]") {
    vector const a{3, 0, 4}, x{1, 1, 1}, d{0, 1, 0}, zero(3), shorter(2, 1.0), broken{1, std::nan(""), 0};
    for (auto const& wrong : {zero, broken}) {
        CHECK_THROWS_AS(rescaled(of(wrong), 1), domain_error);
        CHECK_THROWS_AS(equal_error(of(a), of(x), of(wrong)), domain_error);
        CHECK_THROWS_AS(equal_cosine(of(a), of(wrong), of(d), control_norm::of_activation), domain_error);
        CHECK_THROWS_AS(equal_cosine(of(a), of(x), of(wrong), control_norm::of_activation), domain_error);
        CHECK_THROWS_AS(parts_of(of(wrong), of(d)), domain_error);
        CHECK_THROWS_AS(angular_point(of(wrong), 1, of(d)), domain_error);
        CHECK_THROWS_AS(radial_point(of(wrong), 1), domain_error);
        CHECK_THROWS_AS(published_normalisation(of(wrong), of(a)), domain_error);
        CHECK_THROWS_AS(published_normalisation(of(a), of(wrong)), domain_error);
    }
    CHECK_THROWS_AS(equal_error(of(a), of(broken), of(d)), domain_error);
    CHECK_THROWS_AS(equal_cosine(of(a), of(x), of(a), control_norm::of_activation), domain_error);
    CHECK_THROWS_AS(angular_point(of(a), 1, of(a)), domain_error);
    CHECK_THROWS_AS(rescaled(of(d), INFINITY), domain_error);
    CHECK_THROWS_AS(equal_error(of(a), of(shorter), of(d)), shape_error);
    CHECK_THROWS_AS(equal_cosine(of(a), of(x), of(shorter), control_norm::of_reference), shape_error);
    CHECK_THROWS_AS(parts_of(of(a), of(shorter)), shape_error);
    CHECK_THROWS_AS(published_normalisation(of(a), of(shorter)), shape_error);
    CHECK_THROWS_AS(without_own_mean(of(vector{})), shape_error);
}

TEST_CASE("the published normalisation: no mean of its own, the activation's length",
          "[directions][published_normalisation]") {
    auto const x = testing::random_vector<double>(65, 1, 2), a = testing::random_vector<double>(65, 2, 7);
    vector shifted = x;
    for (double& one : shifted) one += 10;
    auto const normalised = published_normalisation(of(x), of(a));
    double sum = 0;
    for (double const one : normalised) sum += one;
    CHECK(std::abs(sum) < 1e-11);
    CHECK_THAT(norm(normalised), WithinRel(norm(a), 1e-12));
    CHECK(largest_difference(published_normalisation(of(shifted), of(a)), normalised) < 1e-12);
    vector const constant(65, 3.0);
    CHECK_THROWS_AS(published_normalisation(of(constant), of(a)), domain_error);
}

}  // namespace
