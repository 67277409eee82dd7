#include <plateau/backend/cuda/attention.hpp>

#include <limits>
#include <vector>

#include "backend/cuda/attention_problems.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

template <class T>
buffer<T, 2> on_device(problem<T> const& p, std::vector<part> const& parts, index gap = 0) {
    return in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        backend::device_buffer<T, 2> z{ctx, p.q.extents()};
        backend::prefix_attention<T>(ctx, p.shape, on.q, on.keys, on.values, on.segments, z.view());
        return backend::to_host(ctx, z);
    });
}

/// The device's and the CPU's results against the CPU's in double, which attention_test.cpp beside cpu/ holds to the
/// formula. Scores of size √E and their roundings go through the exponential; values are of size 1.
template <class T>
buffer<T, 2> require_attention(problem<T> const& p, std::vector<part> const& parts, index gap = 0) {
    auto const exact = on_host(widened(p), parts);
    auto const device = on_device(p, parts, gap);
    index keys = 0;
    for (auto const& one : parts) keys = std::max(keys, one.prefix + one.rows);
    auto const tolerance = [&](index) { return sum_tolerance<T>(keys + 16 * p.shape.width, 1); };
    require_close(device, exact, tolerance);
    require_close(on_host(p, parts), exact, tolerance);
    return device.clone();
}

TEMPLATE_TEST_CASE("causal attention", "[cuda][attention]", float, double) {
    index const rows = GENERATE(1, 7, 33, 65), kv_heads = GENERATE(1, 2), group = 2 * kv_heads - 1,
                width = GENERATE(5, 64);
    require_attention(random_problem<TestType>(rows, kv_heads * group, kv_heads, width, 1), {{0, rows, 0}});
}

TEMPLATE_TEST_CASE("heads of every width up to 256", "[cuda][attention]", float, double) {
    index const width = GENERATE(1, 7, 24, 65, 100, 128, 129, 256), gap = GENERATE(0, 1);
    require_attention(random_problem<TestType>(5, 2, 1, width, 2, 37), {{0, 5, 37}}, gap);
}

TEMPLATE_TEST_CASE("many heads that share one key", "[cuda][attention]", float, double) {
    require_attention(random_problem<TestType>(3, 20, 1, 16, 3, 40), {{0, 1, 40}, {1, 1, 40}, {2, 1, 40}});
}

TEMPLATE_TEST_CASE("rows of many sequences in one block", "[cuda][attention]", float, double) {
    index const prefix = GENERATE(0, 1, 31, 32, 33, 70);
    require_attention(random_problem<TestType>(30, 6, 2, 24, 4, prefix), mixed_parts(prefix));
}

TEMPLATE_TEST_CASE("windows and caps", "[cuda][attention]", float, double) {
    index const window = GENERATE(1, 3, 40, 64, 1000);
    auto p = random_problem<TestType>(30, 4, 2, 8, 5, 70);
    p.shape.window = window;
    p.shape.cap = TestType(0.5);
    require_attention(p, mixed_parts(70));
}

TEMPLATE_TEST_CASE("a row has the bits of the whole sequence, wherever it stands", "[cuda][attention]", float, double) {
    index const prefix = GENERATE(0, 30, 31, 64), width = GENERATE(9, 80);
    index const length = prefix + 3;
    auto whole = random_problem<TestType>(length, 6, 2, width, 6);
    whole.shape.window = GENERATE(0, 20);
    auto const all = on_device(whole, {{0, length, 0}});
    // the last row alone and as one of three that are the same, and the last three after the prefix
    auto block = random_problem<TestType>(7, 6, 2, width, 7, prefix + 2);
    block.shape.window = whole.shape.window;
    auto const copy = [](buffer<TestType, 2> const& from, index row, buffer<TestType, 2>& to, index at) {
        std::copy_n(from[row].data(), from.extent(1), to[at].data());
    };
    for (index r = 0; r < prefix + 2; ++r) {
        copy(whole.keys, r, block.prefix_keys[0], r);
        copy(whole.values, r, block.prefix_values[0], r);
    }
    for (index at = 0; at < 7; ++at) {
        index const row = at < 4 ? length - 1 : prefix + at - 4;
        copy(whole.q, row, block.q, at);
        copy(whole.keys, row, block.keys, at);
        copy(whole.values, row, block.values, at);
    }
    auto const z = on_device(
        block, {{0, 1, prefix + 2}, {1, 1, prefix + 2}, {2, 1, prefix + 2}, {3, 1, prefix + 2}, {4, 3, prefix}});
    for (index at = 0; at < 7; ++at) {
        CAPTURE(at);
        REQUIRE(same_bits(z[at].data(), all[at < 4 ? length - 1 : prefix + at - 4].data(), z.extent(1)));
    }
}

TEMPLATE_TEST_CASE("a row does not see what comes after it", "[cuda][attention]", float, double) {
    auto p = random_problem<TestType>(35, 2, 1, 9, 8);
    auto const before = on_device(p, {{0, 35, 0}});
    for (index r = 33; r < 35; ++r) {
        for (index i = 0; i < 9; ++i) p.keys(r, i) = p.values(r, i) = std::numeric_limits<TestType>::quiet_NaN();
    }
    auto const after = on_device(p, {{0, 35, 0}});
    CHECK(same_rows(after.view().rows(0, 33), before.view().rows(0, 33)));
    CHECK(std::isnan(after(33, 0)));
}

TEMPLATE_TEST_CASE("scores of any size leave finite results", "[cuda][attention]", float, double) {
    auto p = random_problem<TestType>(5, 1, 1, 4, 9);
    p.shape.scale = TestType(1e20);
    auto const z = on_device(p, {{0, 5, 0}});
    for (TestType value : z.flat()) REQUIRE(std::isfinite(value));
}

TEST_CASE("attention refuses what does not fit", "[cuda][attention]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> q{ctx, {3, 8}}, keys{ctx, {3, 4}}, wide{ctx, {3, 514}}, wide_keys{ctx, {3, 257}};
    std::vector<backend::segment<float, backend::device_space>> segments{{0, 3, {}, {}}};
    auto const attend = [&](backend::attention_shape<float> shape, auto& queries, auto& own) {
        backend::prefix_attention<float>(ctx, shape, queries, own, own, segments, queries.view());
    };
    CHECK_THROWS_AS(attend({2, 2, 4, 1}, q, keys), shape_error);
    CHECK_THROWS_AS(attend({3, 2, 4, 1}, q, keys), shape_error);
    CHECK_THROWS_AS(attend({2, 1, 5, 1}, q, keys), shape_error);
    CHECK_THROWS_WITH(attend({2, 1, 257, 1}, wide, wide_keys), contains("up to 256"));
    segments[0].rows = 4;
    CHECK_THROWS_AS(attend({2, 1, 4, 1}, q, keys), shape_error);
    segments[0] = {0, 3, wide_keys.view(), wide_keys.view()};
    CHECK_THROWS_AS(attend({2, 1, 4, 1}, q, keys), shape_error);
}

}  // namespace
