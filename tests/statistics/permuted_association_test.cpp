#include <plateau/statistics/permuted_association.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

#include <plateau/statistics/correlation.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::family_wise_associations;
using statistics::pearson;
using statistics::permuted_association;
using vector = std::vector<double>;
using vectors = std::vector<vector>;

/// Six quantities that have much in common, so that a correction for six separate ones would be too large.
vectors relatives(index n, std::uint64_t seed) {
    auto const common = testing::random_vector<double>(n, seed);
    vectors all;
    for (std::uint64_t h = 1; h <= 6; ++h) {
        all.push_back(testing::random_vector<double>(n, seed + 1000003 * h));
        for (std::size_t i = 0; i < common.size(); ++i) all.back()[i] += common[i];
    }
    return all;
}

/// Where nothing is planted, p <= a in a share of a of the repetitions, and no more.
void check_level(index repetitions) {
    double const thresholds[] = {0.01, 0.05, 0.1};
    double alone[3] = {}, any[3] = {};
    for (index r = 0; r < repetitions; ++r) {
        auto const seed = static_cast<std::uint64_t>(r) + 1;
        auto const x = testing::random_vector<double>(20, 7919 * seed);
        auto const y = relatives(20, 104729 * seed);
        statistics::permutation_options const options{.permutations = 199, .seed = seed};
        double const p = permuted_association(x, y[0], pearson, options).p;
        double least = 1;
        for (auto const& one : family_wise_associations(x, y, pearson, options)) least = std::min(least, one.p);
        for (std::size_t k = 0; k < 3; ++k) {
            alone[k] += (p <= thresholds[k]) / static_cast<double>(repetitions);
            any[k] += (least <= thresholds[k]) / static_cast<double>(repetitions);
        }
    }
    for (std::size_t k = 0; k < 3; ++k) {
        double const a = thresholds[k], most = a + 3 * std::sqrt(a * (1 - a) / static_cast<double>(repetitions));
        INFO("p <= " << a << ": one " << alone[k] << ", any of six " << any[k]);
        CHECK(alone[k] <= most);
        CHECK(any[k] <= most);
        if (k == 2) CHECK(std::min(alone[k], any[k]) > 2 * a - most);  // nor is it far below
    }
}

TEST_CASE("p values of nothing are no smaller than they should be", "[statistics][permuted_association]") {
    check_level(200);
}

TEST_CASE("p values of nothing keep their level", "[statistics][permuted_association][coverage][full]") {
    check_level(20000);
}

TEST_CASE("what is planted is found, and in its place", "[statistics][permuted_association]") {
    auto const x = testing::random_vector<double>(40, 1);
    auto y = relatives(40, 2);
    for (std::size_t i = 0; i < x.size(); ++i) y[3][i] -= 3 * x[i];
    auto const found = family_wise_associations(x, y, pearson, {.permutations = 999});
    REQUIRE(found.size() == 6);
    for (std::size_t h = 0; h < found.size(); ++h) CHECK((found[h].p <= 0.01) == (h == 3));
    CHECK(found[3].p == 1.0 / 1000);
    CHECK(found[3].statistic < -0.7);
    auto const alone = permuted_association(x, y[3], pearson, {.permutations = 999});
    CHECK(alone.p == found[3].p);
    CHECK(alone.statistic == found[3].statistic);
}

TEST_CASE("a constant is no member of a family, and alone it is an error", "[statistics][permuted_association]") {
    auto const x = testing::random_vector<double>(20, 1);
    auto y = relatives(20, 2);
    auto const before = family_wise_associations(x, y, pearson, {.permutations = 99});
    y.push_back(vector(20, 0.1));
    auto const found = family_wise_associations(x, y, pearson, {.permutations = 99});
    CHECK(std::isnan(found.back().p));
    for (std::size_t h = 0; h < before.size(); ++h) CHECK(found[h].p == before[h].p);
    CHECK_THROWS_AS(permuted_association(x, y.back(), pearson), numeric_error);
    int calls = 0;
    auto const seldom = [&](auto) { return ++calls == 1 ? 1.0 : std::nan(""); };
    CHECK(permuted_association(x, y[0], seldom, {.permutations = 9}).p == 1);
}

TEST_CASE("wrong requests of an association are errors", "[statistics][permuted_association]") {
    CHECK_THROWS_AS(permuted_association(vector{}, vector{}, pearson), shape_error);
    CHECK_THROWS_AS(permuted_association(vector{1, 2}, vector{1}, pearson), shape_error);
    CHECK_THROWS_AS(family_wise_associations(vector{1, 2}, vectors{}, pearson), shape_error);
    CHECK_THROWS_AS(permuted_association(vector{1, 2}, vector{1, 2}, pearson, {.permutations = 0}), usage_error);
}

}  // namespace
