#include <plateau/statistics/adjusted_mutual_information.hpp>
#include <plateau/statistics/contingency.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"

#include <plateau/core/rng.hpp>

namespace {

using namespace plateau;
using plateau::index;
using labels = std::vector<index>;
using statistics::contingency_of;

labels random_labels(index n, std::uint64_t different, std::uint64_t seed) {
    counter_rng rng{seed};
    labels drawn;
    for (index i = 0; i < n; ++i) drawn.push_back(static_cast<index>(rng.below(different)));
    return drawn;
}

TEST_CASE("a table counts what meets, whatever the labels are", "[statistics][contingency]") {
    index const far = std::numeric_limits<index>::max();
    auto const table = contingency_of(labels{far, -far, far, 3, far}, labels{0, 9, 9, 9, 0});
    CHECK(table.n == 5);
    CHECK(table.rows == labels{1, 1, 3});  // -far, 3, far
    CHECK(table.columns == labels{2, 3});
    REQUIRE(table.cells.size() == 4);
    CHECK(table.cells[2].row == 2);
    CHECK(table.cells[2].column == 0);
    CHECK(table.cells[2].n == 2);
    CHECK_THROWS_AS(contingency_of(labels{1, 2}, labels{1}), shape_error);
    CHECK_THROWS_AS(contingency_of(labels{}, labels{}), shape_error);
}

TEST_CASE("information of planted labelings", "[statistics][contingency]") {
    labels x, fine, unrelated;
    for (index i = 0; i < 64; ++i) x.push_back(i / 32), fine.push_back(i / 16), unrelated.push_back(i % 4);
    auto const nested = statistics::plug_in_information(contingency_of(x, fine));
    CHECK(nested.x_given_y == 0);
    CHECK_THAT(nested.y_given_x, testing::WithinAbs(std::log(2), 1e-15));
    CHECK_THAT(nested.mutual, testing::WithinAbs(std::log(2), 1e-15));
    CHECK(statistics::homogeneity(contingency_of(x, fine)) == 1);
    CHECK_THAT(statistics::completeness(contingency_of(x, fine)), testing::WithinAbs(0.5, 1e-15));
    auto const none = statistics::plug_in_information(contingency_of(x, unrelated));
    CHECK(none.mutual == 0);
    CHECK(none.x_given_y == none.x);
    CHECK(statistics::homogeneity(contingency_of(labels{4, 4}, labels{1, 2})) == 1);
    CHECK(statistics::completeness(contingency_of(labels{4, 4}, labels{1, 2})) == 0);
}

TEST_CASE("the correction takes most of the bias away", "[statistics][contingency]") {
    index const repetitions = 400, n = 100;
    double plug_in = 0, corrected = 0, entropy = 0;
    for (std::uint64_t r = 0; r < repetitions; ++r) {
        auto const table = contingency_of(random_labels(n, 4, 2 * r + 1), random_labels(n, 5, 2 * r + 2));
        plug_in += statistics::plug_in_information(table).mutual / repetitions;
        corrected += statistics::miller_madow_information(table).mutual / repetitions;
        entropy += statistics::miller_madow_information(table).x / repetitions;
    }
    CHECK(plug_in > 0.05);  // (4 − 1)(5 − 1) / 2n, of a truth of 0
    CHECK(std::abs(corrected) < 0.01);
    CHECK_THAT(entropy, testing::WithinAbs(std::log(4), 0.003));
}

TEST_CASE("adjusted information is 1 up to names, and 0 on average by chance",
          "[statistics][adjusted_mutual_information]") {
    auto const x = random_labels(200, 7, 1);
    labels renamed;
    for (index const label : x) renamed.push_back(3 * (10 - label));
    CHECK_THAT(statistics::adjusted_mutual_information(contingency_of(x, renamed)), testing::WithinAbs(1, 1e-13));
    double mean = 0;
    for (std::uint64_t r = 0; r < 200; ++r) {
        auto const table = contingency_of(random_labels(60, 8, 2 * r + 1), random_labels(60, 9, 2 * r + 2));
        mean += statistics::adjusted_mutual_information(table) / 200;
    }
    CHECK(std::abs(mean) < 0.01);
}

TEST_CASE("labelings without a choice agree or do not", "[statistics][adjusted_mutual_information]") {
    auto const adjusted = [](labels const& x, labels const& y) {
        return statistics::adjusted_mutual_information(contingency_of(x, y));
    };
    CHECK(adjusted({3}, {4}) == 1);
    CHECK(adjusted({3, 3, 3}, {4, 4, 4}) == 1);
    CHECK(adjusted({1, 2, 3}, {6, 5, 4}) == 1);
    CHECK(adjusted({3, 3, 3}, {1, 2, 3}) == 0);
    CHECK(std::abs(adjusted({1, 2, 3, 4}, {1, 1, 2, 2})) < 1e-14);
}

TEST_CASE("the expectation under dealing out is that of the deals", "[statistics][adjusted_mutual_information]") {
    auto const x = random_labels(50, 4, 5);
    auto y = random_labels(50, 6, 6);
    double const expected = statistics::expected_mutual_information(contingency_of(x, y));
    counter_rng rng{1};
    double mean = 0;
    index const deals = 4000;
    for (index i = 0; i < deals; ++i) {
        shuffle(std::span{y}, rng);
        mean += statistics::plug_in_information(contingency_of(x, y)).mutual / deals;
    }
    CHECK_THAT(mean, testing::WithinAbs(expected, 0.004));
    // two halves of a million: (2 − 1)(2 − 1) / 2n to first order
    index const half = 500000;
    statistics::contingency const large{.n = 2 * half, .rows = {half, half}, .columns = {half, half}, .cells = {}};
    CHECK_THAT(statistics::expected_mutual_information(large) * 4 * half, testing::WithinAbs(1, 1e-5));
}

}  // namespace
