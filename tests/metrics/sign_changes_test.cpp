#include <plateau/metrics/sign_changes.hpp>

#include <numeric>

#include <plateau/backend/cpu/sign_codes.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using metrics::sign_changes_along;
using plateau::index;

backend::cpu_context const ctx{1};

tensor::buffer<std::uint64_t, 2> codes_of(tensor::buffer<double, 2> const& x) {
    tensor::buffer<std::uint64_t, 2> codes({x.extent(0), backend::words_of_signs(x.extent(1))});
    backend::sign_codes<double>(ctx, x, codes);
    return codes;
}

TEST_CASE("sign changes are counted sign by sign", "[metrics][sign_changes]") {
    index const width = GENERATE(1, 63, 64, 65, 130), points = 13;
    auto const x = testing::random_buffer<double, 2>({points, width}, static_cast<std::uint64_t>(width));
    auto const codes = codes_of(x);
    for (index const stride : {1, 2, 3, 4, 6, 12}) {
        auto const found = sign_changes_along(codes, stride);
        REQUIRE(static_cast<index>(found.size()) == 12 / stride);
        for (std::size_t i = 0; i < found.size(); ++i) {
            index wanted = 0;
            auto const from = static_cast<index>(i) * stride;
            for (index j = 0; j < width; ++j) wanted += (x(from, j) > 0) != (x(from + stride, j) > 0);
            CHECK(found[i] == wanted);
        }
    }
    index vary = 0;
    for (index j = 0; j < width; ++j) {
        index positive = 0;
        for (index i = 0; i < points; ++i) positive += x(i, j) > 0;
        vary += positive > 0 && positive < points;
    }
    CHECK(metrics::signs_that_vary(codes) == vary);
    CHECK(metrics::signs_that_vary(codes.view().rows(0, 1)) == 0);
}

TEST_CASE("a finer grid never sees fewer sign changes, and of the same parity as the ends", "[metrics][sign_changes]") {
    auto const x = testing::random_buffer<double, 2>({25, 100}, 3);
    auto const codes = codes_of(x);
    auto const grids = metrics::nested_grids(25);
    CHECK(grids == std::vector<index>{24, 12, 8, 6, 4, 3, 2, 1});
    auto const total = [&](index intervals) {
        auto const all = sign_changes_along(codes, 24 / intervals);
        return std::accumulate(all.begin(), all.end(), index{0});
    };
    for (auto const& [fine, coarse] : std::vector<std::array<index, 2>>{{24, 12}, {12, 6}, {6, 3}, {3, 1}, {24, 8}}) {
        CHECK(total(fine) >= total(coarse));
        CHECK((total(fine) - total(coarse)) % 2 == 0);
    }
}

TEST_CASE("sign changes refuse what does not fit", "[metrics][sign_changes][errors]") {
    auto const codes = codes_of(testing::random_buffer<double, 2>({5, 3}, 1));
    CHECK_THROWS_AS(sign_changes_along(codes, 3), usage_error);
    CHECK_THROWS_AS(sign_changes_along(codes, 0), usage_error);
    CHECK_THROWS_AS(metrics::nested_grids(1), usage_error);
    std::vector<std::uint64_t> const one(1), two(2);
    CHECK_THROWS_AS(metrics::sign_changes(one, two), shape_error);
}

}  // namespace
