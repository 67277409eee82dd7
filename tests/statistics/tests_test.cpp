#include <plateau/statistics/binned_medians.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using statistics::mean;
using statistics::median;
using vector = std::vector<double>;

TEST_CASE("equal samples give uniform p, different ones small p", "[statistics][permutation_test]") {
    index small = 0;
    for (std::uint64_t r = 0; r < 200; ++r) {
        auto const x = testing::random_vector<double>(20, 2 * r + 1), y = testing::random_vector<double>(15, 2 * r + 2);
        small += statistics::two_sample_test(x, y, median, {.permutations = 199, .seed = r}).p <= 0.1;
    }
    CHECK(small >= 8);  // 20 ± 4.2
    CHECK(small <= 34);
    auto x = testing::random_vector<double>(40, 1);
    auto const y = testing::random_vector<double>(40, 2);
    for (double& value : x) value += 3;
    auto const found = statistics::two_sample_test(x, y, mean, {.permutations = 999});
    CHECK(found.p == 1.0 / 1000);
    CHECK_THAT(found.statistic, testing::WithinAbs(mean(x) - mean(y), 1e-15));
    CHECK(statistics::two_sample_test(y, x, mean, {.permutations = 999}).p == found.p);
}

TEST_CASE("signs of dependent differences have to flip together", "[statistics][permutation_test]") {
    // blocks of ten equal values: alone they look like evidence, together there are but eight of them
    index alone = 0, together = 0;
    for (std::uint64_t r = 0; r < 200; ++r) {
        auto const block = testing::random_vector<double>(8, r + 1);
        vector differences;
        for (double value : block) differences.insert(differences.end(), 10, value);
        alone += statistics::sign_flip_test(differences, 1, mean, {.permutations = 199, .seed = r}).p <= 0.05;
        together += statistics::sign_flip_test(differences, 10, mean, {.permutations = 199, .seed = r}).p <= 0.05;
    }
    CHECK(together <= 22);  // 10 ± 3
    CHECK(alone > 60);
}

TEST_CASE("p is never zero, and one if every permutation is as large", "[statistics][permutation_test]") {
    CHECK(statistics::sign_flip_test(vector{0, 0, 0}, 1, mean).p == 1);
    CHECK(statistics::two_sample_test(vector{1}, vector{1}, mean).p == 1);
    CHECK_THROWS_AS(statistics::two_sample_test(vector{}, vector{1}, mean), shape_error);
    CHECK_THROWS_AS(statistics::sign_flip_test(vector{}, 1, mean), shape_error);
    CHECK_THROWS_AS(statistics::sign_flip_test(vector{1}, 0, mean), usage_error);
    CHECK_THROWS_AS(statistics::sign_flip_test(vector{1}, 1, mean, {.permutations = 0}), usage_error);
    CHECK_THROWS_AS(statistics::two_sample_test(vector{NAN}, vector{1}, mean), numeric_error);
}

TEST_CASE("correlations of planted relations", "[statistics][correlation]") {
    std::vector<std::array<double, 2>> line, cubic, constant{{1, 2}, {1, 3}};
    for (int i = -5; i <= 5; ++i) {
        line.push_back({static_cast<double>(i), 3.0 - 2 * i});
        cubic.push_back({static_cast<double>(i), static_cast<double>(i * i * i)});
    }
    CHECK_THAT(statistics::pearson(line), testing::WithinAbs(-1, 1e-15));
    CHECK(statistics::pearson(cubic) < 0.95);
    CHECK_THAT(statistics::spearman(cubic), testing::WithinAbs(1, 1e-15));
    CHECK(std::isnan(statistics::pearson(constant)));
    CHECK(std::isnan(statistics::spearman(constant)));
    CHECK(std::isnan(statistics::pearson({})));
    for (auto& point : cubic) point[0] = 0.1;  // whose mean over eleven is not 0.1
    CHECK(std::isnan(statistics::pearson(cubic)));
    line[3][1] = NAN;
    CHECK(std::isnan(statistics::spearman(line)));
    CHECK(std::isnan(statistics::pearson(line)));
    CHECK(statistics::ranks_of(vector{5, 1, 5, 3}) == vector{3.5, 1, 3.5, 2});
}

TEST_CASE("effects of planted size", "[statistics][effect_size]") {
    auto x = testing::random_vector<double>(20000, 1), y = testing::random_vector<double>(20000, 2);
    for (double& value : x) value += 0.8;
    CHECK_THAT(statistics::cohens_d(x, y), testing::WithinAbs(0.8, 0.03));
    double const truth = std::erf(0.8 / 2);  // P(x > y) − P(x < y) = 2 Φ(0.8 / √2) − 1
    CHECK_THAT(statistics::cliffs_delta(x, y), testing::WithinAbs(truth, 0.02));
    CHECK(statistics::cliffs_delta(vector{1, 2}, vector{0}) == 1);
    CHECK(statistics::cliffs_delta(vector{1}, vector{1}) == 0);
    CHECK(statistics::cliffs_delta(vector{0}, vector{1, 2, -1, -1, -1}) == 0.2);
    CHECK(std::isnan(statistics::cliffs_delta(vector{NAN}, vector{1})));
    CHECK(std::isnan(statistics::cohens_d(vector{1, 1}, vector{2, 2})));
    CHECK_THROWS_AS(statistics::cohens_d(vector{1}, vector{1, 2}), shape_error);
    CHECK_THROWS_AS(statistics::cliffs_delta(vector{}, vector{1}), shape_error);
}

TEST_CASE("medians follow a planted relation, bin by bin", "[statistics][binned_medians]") {
    vector x, y;
    for (int i = 0; i <= 100; ++i) {
        x.push_back(i);
        y.push_back(i < 50 ? 1 : 7);
    }
    x.push_back(NAN);
    y.push_back(1e9);
    x.push_back(3);
    y.push_back(NAN);
    auto const found = statistics::binned_medians(x, y, 4);
    REQUIRE(found.of_bins.size() == 4);
    CHECK(found.edges == vector{0, 25, 50, 75, 100});
    CHECK(found.of_bins[1].median == 1);
    CHECK(found.of_bins[2].median == 7);
    CHECK(found.of_bins[0].count == 25);
    CHECK(found.of_bins[3].count == 26);  // the last bin has its upper edge
    auto const gap = statistics::binned_medians(vector{0, 10}, vector{1, 2}, 3);
    CHECK(std::isnan(gap.of_bins[1].median));
    CHECK(statistics::binned_medians(vector{2, 2}, vector{1, 5}, 1).of_bins[0].median == 3);
    CHECK(statistics::binned_medians(vector{NAN}, vector{1}, 2).edges.empty());
    CHECK_THROWS_AS(statistics::binned_medians(x, vector{1}, 2), shape_error);
    CHECK_THROWS_AS(statistics::binned_medians(x, y, 0), shape_error);
}

}  // namespace
