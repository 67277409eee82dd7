#include <plateau/hooks/positions.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
using plateau::hooks::positions;
using plateau::testing::contains;

std::vector<index> held(positions const& some, index length) {
    std::vector<index> all;
    for (index t = 0; t < length; ++t) {
        if (some.holds({0, 0, t, t + 1 == length, false, 0, length})) all.push_back(t);
    }
    return all;
}

TEST_CASE("positions count from either end", "[hooks][positions]") {
    using list = std::vector<index>;
    CHECK(held(positions::all(), 3) == list{0, 1, 2});
    CHECK(held(positions::last(), 3) == list{2});
    CHECK(held(positions::last(), 1) == list{0});
    CHECK(held(positions::one(1), 3) == list{1});
    CHECK(held(positions::one(-3), 3) == list{0});
    CHECK(held({1, 3}, 5) == list{1, 2});
    CHECK(held({-3, -1}, 5) == list{2, 3});
    CHECK(held({1, -1}, 5) == list{1, 2, 3});
    CHECK(held({-2, 0}, 5) == list{3, 4});
    CHECK(held({0, 5}, 5) == list{0, 1, 2, 3, 4});
}

TEST_CASE("positions that a prompt does not have are an error", "[hooks][positions][errors]") {
    for (auto const& some : {positions::one(3), positions::one(-4), positions{2, 1}, positions{2, 4}, positions{-1, -2},
                             positions{0, -3}}) {
        CAPTURE(some.first, some.end);
        CHECK_THROWS_AS(some.require(3), plateau::usage_error);
        CHECK_THROWS_WITH(held(some, 3), contains("too few"));
    }
    CHECK_NOTHROW(positions::all().require(1));
    CHECK_NOTHROW(positions::one(-3).require(3));
}

TEST_CASE("a growing text has a last position, and none counted from its end", "[hooks][positions]") {
    CHECK(positions::last().holds({0, 0, 5, true}));
    CHECK_FALSE(positions::last().holds({0, 0, 5, false}));
    CHECK(positions{2, 4}.holds({0, 0, 3, false}));
    CHECK_FALSE(positions{2, 4}.holds({0, 0, 4, true}));
    CHECK(positions{2, 0}.holds({0, 0, 9, true}));
    CHECK_THROWS_WITH(positions::one(-2).holds({0, 0, 5, false}), contains("length is known"));
}

}  // namespace
