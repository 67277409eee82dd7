#include <plateau/nn/linear.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using testing::context;

context const ctx{1};

TEST_CASE("the bias is added after the full sum", "[nn][linear]") {
    index const rows = GENERATE(1, 7, 65);
    auto const x = testing::random_buffer<double, 2>({rows, 9}, 1);
    auto const plain = testing::random_linear<double>(5, 9, false, 2),
               biased = testing::random_linear<double>(5, 9, true, 2);
    buffer<double, 2> without({rows, 5}), with({rows, 5});
    plain.forward(ctx, x, without);
    biased.forward(ctx, x, with);
    for (index r = 0; r < rows; ++r) {
        for (index n = 0; n < 5; ++n) REQUIRE(with(r, n) == without(r, n) + biased.bias(n));
    }
}

TEST_CASE("a zero row gives the bias", "[nn][linear]") {
    auto const layer = testing::random_linear<double>(5, 9, true, 2);
    buffer<double, 2> const x({3, 9});
    buffer<double, 2> y({3, 5});
    layer.forward(ctx, x, y);
    for (index r = 0; r < 3; ++r) CHECK(testing::same_bits(y[r].data(), layer.bias.data(), 5));
    buffer<double, 2> narrow({3, 4});
    CHECK_THROWS_AS(layer.forward(ctx, x, narrow), shape_error);
}

}  // namespace
