#include <plateau/statistics/value_pairs.hpp>

#include <limits>

#include <plateau/statistics/effect_size.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::statistics;

TEST_CASE("value pairs are those of which both are known, in their order", "[statistics][value_pairs]") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> const x{1, nan, 3, 4}, y{0, 5, nan, 6};
    auto const pairs = known_pairs(x, y);
    CHECK(pairs == std::vector<value_pair>{{1, 0}, {4, 6}});
    CHECK(differences_of(pairs) == std::vector<double>{1, -2});
    CHECK(of_columns(cliffs_delta)(pairs) == cliffs_delta(std::vector<double>{1, 4}, std::vector<double>{0, 6}));
}

}  // namespace
