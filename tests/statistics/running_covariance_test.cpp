#include <plateau/statistics/running_covariance.hpp>

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using statistics::running_covariance;

double largest_difference(tensor::buffer<double, 2> const& a, tensor::buffer<double, 2> const& b) {
    double largest = 0;
    for (index i = 0; i < a.size(); ++i) largest = std::fmax(largest, std::abs(a.data()[i] - b.data()[i]));
    return largest;
}

TEST_CASE("rows one by one, in batches, and merged from parts give the same covariance",
          "[statistics][running_covariance]") {
    index const rows = 129, width = GENERATE(1, 7, 33);
    auto const values = testing::random_buffer<float, 2>({rows, width}, 1, 2);
    tensor::view<float const, 2> const all = values;
    running_covariance whole{width}, single{width}, parts{width}, other{width};
    whole.add(all);
    for (index r = 0; r < rows; ++r) single.add(all.rows(r, 1));
    parts.add(all.rows(0, 50));
    parts.add(all.rows(50, 0));
    other.add(all.rows(50, 79));
    parts.merge(other);
    CHECK(parts.count() == rows);
    CHECK(largest_difference(whole.covariance(), single.covariance()) < 1e-12);
    CHECK(largest_difference(whole.covariance(), parts.covariance()) < 1e-12);
    auto const c = whole.covariance();
    for (index i = 0; i < width; ++i) {
        for (index j = 0; j < width; ++j) REQUIRE(c(i, j) == c(j, i));
    }
}

TEST_CASE("a large mean costs no precision", "[statistics][running_covariance]") {
    index const rows = 1000;
    auto const noise = testing::random_buffer<double, 2>({rows, 2}, 1);
    tensor::buffer<double, 2> far({rows, 2});
    for (index i = 0; i < far.size(); ++i) far.data()[i] = noise.data()[i] + 1e8;
    running_covariance near_zero{2}, far_away{2};
    near_zero.add(noise.view());
    for (index r = 0; r < rows; r += 100) far_away.add(tensor::view<double const, 2>{far.view()}.rows(r, 100));
    CHECK(largest_difference(near_zero.covariance(), far_away.covariance()) < 1e-7);  // 1e8 has errors of 1e-8 itself
}

TEST_CASE("planted covariances are recovered, rows of a view with a stride too", "[statistics][running_covariance]") {
    index const rows = 40000;
    auto const z = testing::random_buffer<double, 2>({rows, 4}, 1);
    tensor::buffer<double, 2> x({rows, 4});
    for (index r = 0; r < rows; ++r) {
        x(r, 0) = 5 + 2 * z(r, 0);
        x(r, 1) = z(r, 0) + z(r, 1);
        x(r, 2) = x(r, 3) = 1e30;  // not looked at
    }
    running_covariance found{2};
    found.add(tensor::view<double const, 2>{x.data(), {rows, 2}, {4, 1}});
    auto const c = found.covariance(0);
    CHECK_THAT(found.mean()[0], testing::WithinAbs(5, 0.05));
    CHECK_THAT(c(0, 0), testing::WithinAbs(4, 0.15));
    CHECK_THAT(c(0, 1), testing::WithinAbs(2, 0.1));
    CHECK_THAT(c(1, 1), testing::WithinAbs(2, 0.1));
}

TEST_CASE("too few rows and other widths are errors", "[statistics][running_covariance]") {
    tensor::buffer<float, 2> row({1, 3}), wider({1, 4});
    running_covariance one{3};
    CHECK_THROWS_AS(one.covariance(), shape_error);
    one.add(row.view());
    CHECK_THROWS_WITH(one.covariance(), testing::contains("more than 1 rows, got 1"));
    CHECK(one.covariance(0)(2, 2) == 0);
    CHECK_THROWS_AS(one.add(wider.view()), shape_error);
    CHECK_THROWS_AS(one.merge(running_covariance{2}), shape_error);
    CHECK_THROWS_AS(running_covariance{0}, shape_error);
    running_covariance empty{3};
    empty.merge(running_covariance{3});
    CHECK(empty.count() == 0);
}

}  // namespace
