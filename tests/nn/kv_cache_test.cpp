#include <plateau/nn/kv_cache.hpp>

#include <plateau/backend/cpu/context.hpp>

#include "support/catch.hpp"

namespace {

using plateau::index;
using plateau::shape_error;
using cache = plateau::nn::kv_cache<plateau::backend::cpu_context, float>;

plateau::backend::cpu_context const one_thread{1};

TEST_CASE("a cache holds its layers and no other", "[nn][kv_cache]") {
    cache kept{one_thread, 3, 2, 7, 4};
    CHECK_FALSE(kept.holds(2));
    CHECK(kept.holds(3));
    CHECK(kept.holds(4));
    CHECK_FALSE(kept.holds(5));
    CHECK(kept.positions() == 7);
    CHECK(kept.keys(3).extents() == std::array<index, 2>{7, 4});
    CHECK(kept.values(4).extents() == std::array<index, 2>{7, 4});
    CHECK_THROWS_AS(kept.keys(2), shape_error);
    CHECK_THROWS_AS(kept.values(5), shape_error);
    CHECK_THROWS_WITH(kept.keys(5), plateau::testing::contains("layer 5"));
    auto const& constant = kept;
    CHECK_THROWS_AS(constant.keys(-1), shape_error);
}

TEST_CASE("keys and values of every layer have their own place", "[nn][kv_cache]") {
    int const layers = GENERATE(1, 3);
    cache kept{one_thread, 5, layers, 4, 3};
    float next = 0;
    for (int layer = 5; layer < 5 + layers; ++layer) {
        for (auto const& part : {kept.keys(layer), kept.values(layer)}) {
            for (float& value : part.flat()) value = ++next;
        }
    }
    CHECK(next == static_cast<float>(2 * layers * 4 * 3));
    float expected = 0;
    auto const& constant = kept;
    for (int layer = 5; layer < 5 + layers; ++layer) {
        for (auto const& part : {constant.keys(layer), constant.values(layer)}) {
            for (float value : part.flat()) CHECK(value == ++expected);
        }
    }
}

TEST_CASE("its bytes are known before it is made", "[nn][kv_cache]") {
    CHECK(cache::bytes(2, 7, 4) == 2 * 2 * 7 * 4 * 4);
    CHECK(plateau::nn::kv_cache<plateau::backend::cpu_context, double>::bytes(2, 7, 4) == 2 * cache::bytes(2, 7, 4));
    CHECK(cache::bytes(0, 7, 4) == 0);
}

TEST_CASE("an empty cache holds nothing", "[nn][kv_cache]") {
    cache const none, no_layers{one_thread, 2, 0, 5, 4}, no_positions{one_thread, 0, 1, 0, 4};
    CHECK(none.positions() == 0);
    CHECK_FALSE(none.holds(0));
    CHECK_FALSE(no_layers.holds(2));
    CHECK(no_positions.keys(0).size() == 0);
}

}  // namespace
