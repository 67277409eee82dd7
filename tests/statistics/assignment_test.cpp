#include <plateau/statistics/assignment.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using statistics::optimal_assignment;

TEST_CASE("no order of the columns has a larger total", "[statistics][assignment]") {
    index const rows = GENERATE(1, 3, 6), columns = GENERATE(1, 4, 7), whole = GENERATE(0, 1);
    auto weights = testing::random_buffer<double, 2>({rows, columns}, static_cast<std::uint64_t>(10 * rows + columns));
    if (whole == 1) {
        for (double& weight : weights.flat()) weight = std::round(weight);  // ties
    }
    auto const found = optimal_assignment(weights.view());
    std::vector<index> places(static_cast<std::size_t>(std::max(rows, columns)));
    std::iota(places.begin(), places.end(), 0);
    double best = -INFINITY;
    do {
        double total = 0;
        for (index i = 0; i < std::min(rows, columns); ++i) {
            index const j = places[static_cast<std::size_t>(i)];
            total += rows > columns ? weights.view()(j, i) : weights.view()(i, j);
        }
        best = std::max(best, total);
    } while (std::next_permutation(places.begin(), places.end()));
    CHECK_THAT(found.total, testing::WithinAbs(best, 1e-12));
    std::vector<index> used;
    for (index const column : found.column_of) {
        if (column >= 0) used.push_back(column);
    }
    CHECK(static_cast<index>(used.size()) == std::min(rows, columns));
    std::sort(used.begin(), used.end());
    CHECK(std::adjacent_find(used.begin(), used.end()) == used.end());
    CHECK(found.column_of.size() == static_cast<std::size_t>(rows));
}

TEST_CASE("a planted assignment of many is found, and equal weights keep the order", "[statistics][assignment]") {
    index const n = 129;
    auto weights = testing::random_buffer<double, 2>({n, n}, 3);
    for (index i = 0; i < n; ++i) weights.view()(i, (17 * i + 5) % n) += 20;
    auto const found = optimal_assignment(weights.view());
    index right = 0;
    for (index i = 0; i < n; ++i) right += found.column_of[static_cast<std::size_t>(i)] == (17 * i + 5) % n;
    CHECK(right == n);
    std::vector<double> const equal(12, 2.5);
    CHECK(optimal_assignment({equal.data(), {3, 4}}).column_of == std::vector<index>{0, 1, 2});
    CHECK(optimal_assignment({equal.data(), {4, 3}}).column_of == std::vector<index>{0, 1, 2, -1});
}

TEST_CASE("assignments of nothing, and of what is no number, are errors", "[statistics][assignment]") {
    std::vector<double> weights{1, NAN, 2, 3};
    CHECK_THROWS_AS(optimal_assignment({weights.data(), {0, 4}}), shape_error);
    CHECK_THROWS_AS(optimal_assignment({weights.data(), {4, 0}}), shape_error);
    CHECK_THROWS_AS(optimal_assignment({weights.data(), {2, 2}}), domain_error);
    weights[1] = INFINITY;
    CHECK_THROWS_AS(optimal_assignment({weights.data(), {2, 2}}), domain_error);
}

}  // namespace
