#include <plateau/backend/cuda/attention_steps.hpp>

#include "backend/cuda/attention_problems.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

/// What a step leaves: of scores and patterns [R, H, K], and of z.
template <class T>
struct steps {
    buffer<T, 3> scores, pattern;
    buffer<T, 2> z;
};

template <class T>
steps<T> host_steps(problem<T> const& p, std::vector<part> const& parts, index keys) {
    auto const segments = host_segments(p, parts);
    buffer<T, 3> scores({p.q.extent(0), p.shape.heads, keys});
    backend::attention_scores<T>(on_cpu, p.shape, p.q, p.keys, segments, scores.view());
    auto pattern = scores.clone();
    backend::attention_softmax<T>(on_cpu, p.shape, segments, pattern.view());
    buffer<T, 2> z(p.q.extents());
    backend::attention_mix<T>(on_cpu, p.shape, pattern, p.values, segments, z.view());
    return {std::move(scores), std::move(pattern), std::move(z)};
}

/// Each step by itself, so that one's mistake is not the next one's: softmax of `given.scores`, mix of `given.pattern`.
template <class T>
steps<T> device_steps(problem<T> const& p, std::vector<part> const& parts, steps<T> const& given, index gap) {
    auto const shape = given.scores.extents();
    auto scores = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        backend::device_buffer<T, 3> out{ctx, shape};
        backend::attention_scores<T>(ctx, p.shape, on.q, on.keys, on.segments, out.view());
        return backend::to_host(ctx, out);
    });
    auto pattern = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        auto out = backend::to_device(ctx, given.scores);
        backend::attention_softmax<T>(ctx, p.shape, on.segments, out.view());
        return backend::to_host(ctx, out);
    });
    auto z = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        auto const weights = backend::to_device(ctx, given.pattern);
        backend::device_buffer<T, 2> out{ctx, p.q.extents()};
        backend::attention_mix<T>(ctx, p.shape, weights, on.values, on.segments, out.view());
        return backend::to_host(ctx, out);
    });
    return {std::move(scores), std::move(pattern), std::move(z)};
}

template <class T>
steps<T> narrowed(steps<double> const& s) {
    steps<T> n{buffer<T, 3>(s.scores.extents()), buffer<T, 3>(s.pattern.extents()), buffer<T, 2>(s.z.extents())};
    for (index i = 0; i < s.scores.size(); ++i) n.scores.data()[i] = static_cast<T>(s.scores.data()[i]);
    for (index i = 0; i < s.pattern.size(); ++i) n.pattern.data()[i] = static_cast<T>(s.pattern.data()[i]);
    return n;
}

/// What a row does not see: −inf as a score, 0 in the pattern.
template <class T>
void require_unseen(problem<T> const& p, std::vector<part> const& parts, steps<T> const& s) {
    for (auto const& one : parts) {
        for (index j = 0; j < one.rows; ++j) {
            index const end = one.prefix + j + 1, from = p.shape.first_key(end), r = one.first_row + j;
            for (index h = 0; h < p.shape.heads; ++h) {
                for (index k = 0; k < s.scores.extent(2); ++k) {
                    bool const seen = k >= from && k < end;
                    if (std::isfinite(s.scores(r, h, k)) != seen)
                        FAIL("row " << r << ", key " << k << " is or is not seen");
                    if (!seen && (s.scores(r, h, k) > 0 || s.pattern(r, h, k) != 0))
                        FAIL("row " << r << ", key " << k << " is not hidden");
                }
            }
        }
    }
}

/// Every step against the CPU's in double, and all of them against the attention in one go.
template <class T>
void require_steps(problem<T> const& p, std::vector<part> const& parts, index keys, index gap = 0) {
    auto const exact = host_steps(widened(p), parts, keys);
    auto const given = narrowed<T>(exact);
    auto const got = device_steps(p, parts, given, gap);
    require_unseen(p, parts, got);
    double const score = sum_tolerance<T>(p.shape.width, std::sqrt(static_cast<double>(p.shape.width)) + 1);
    for (index i = 0; i < got.scores.size(); ++i) {
        double const wanted = exact.scores.data()[i];
        if (!std::isfinite(wanted)) continue;
        REQUIRE_THAT(static_cast<double>(got.scores.data()[i]), WithinAbs(wanted, score));
    }
    // scores that were rounded go through the exponential
    require_close(got.pattern, exact.pattern,
                  [&](index i) { return 16 * rounding_tolerance<T>(exact.pattern.data()[i]); });
    require_close(got.z, exact.z, [&](index) { return sum_tolerance<T>(keys, 1); });

    auto const composed = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        backend::device_buffer<T, 3> pattern{ctx, given.scores.extents()};
        backend::device_buffer<T, 2> z{ctx, p.q.extents()};
        backend::attention_scores<T>(ctx, p.shape, on.q, on.keys, on.segments, pattern.view());
        backend::attention_softmax<T>(ctx, p.shape, on.segments, pattern.view());
        backend::attention_mix<T>(ctx, p.shape, pattern, on.values, on.segments, z.view());
        return backend::to_host(ctx, z);
    });
    auto const at_once = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<T> on{ctx, p, parts, gap};
        backend::device_buffer<T, 2> z{ctx, p.q.extents()};
        backend::prefix_attention<T>(ctx, p.shape, on.q, on.keys, on.values, on.segments, z.view());
        return backend::to_host(ctx, z);
    });
    // scores have the same bits; exponentials, their sum and the mix are rounded in other places
    require_close(composed, in_double(at_once), [&](index) { return sum_tolerance<T>(keys, 1); });
}

TEMPLATE_TEST_CASE("attention in steps, causal", "[cuda][attention_steps]", float, double) {
    index const rows = GENERATE(1, 7, 33), kv_heads = GENERATE(1, 2), width = GENERATE(5, 64);
    require_steps(random_problem<TestType>(rows, kv_heads * (2 * kv_heads - 1), kv_heads, width, 1), {{0, rows, 0}},
                  rows);
}

TEMPLATE_TEST_CASE("attention in steps, heads of any width", "[cuda][attention_steps]", float, double) {
    index const width = GENERATE(1, 7, 129, 300), gap = GENERATE(0, 1);
    auto const p = random_problem<TestType>(3, 2, 1, width, 2, 37);
    if (width <= 256) require_steps(p, {{0, 3, 37}}, 40, gap);
    auto const exact = host_steps(widened(p), {{0, 3, 37}}, 41);
    auto const got = device_steps(p, {{0, 3, 37}}, narrowed<TestType>(exact), gap);
    require_close(got.z, exact.z, [&](index) { return sum_tolerance<TestType>(40, 1); });
}

TEMPLATE_TEST_CASE("attention in steps, of many sequences in one block", "[cuda][attention_steps]", float, double) {
    index const prefix = GENERATE(0, 1, 33, 70);
    index const keys = prefix + 6 + prefix % 2 * 9;  // with room for more than there are, or none
    require_steps(random_problem<TestType>(30, 6, 2, 24, 4, prefix), mixed_parts(prefix), keys);
}

TEMPLATE_TEST_CASE("attention in steps, with windows and caps", "[cuda][attention_steps]", float, double) {
    index const window = GENERATE(1, 3, 40, 1000);
    auto p = random_problem<TestType>(30, 4, 2, 8, 5, 70);
    p.shape.window = window;
    p.shape.cap = TestType(0.5);
    require_steps(p, mixed_parts(70), 76);
}

TEMPLATE_TEST_CASE("attention in steps leaves rows of no segment alone, and follows strides", "[cuda][attention_steps]",
                   float, double) {
    auto const p = random_problem<TestType>(5, 2, 1, 9, 6);
    std::vector<part> const parts{{0, 2, 0}, {3, 2, 0}};
    auto const given = host_steps(p, parts, 4);
    auto const left = in_every_order([&](backend::cuda_context const& ctx) {
        device_problem<TestType> on{ctx, p, parts, 0};
        buffer<TestType, 2> wide({5, 11});
        for (TestType& value : wide.flat()) value = 7;
        auto all = backend::to_device(ctx, wide);
        backend::device_view<TestType, 3> const scores{all.view().data(), {5, 2, 4}, {11, 4, 1}};
        backend::attention_scores<TestType>(ctx, p.shape, on.q, on.keys, on.segments, scores);
        return backend::to_host(ctx, all);
    });
    for (index r = 0; r < 5; ++r) {
        for (index i = 0; i < 11; ++i) {
            if (i >= 8 || r == 2) REQUIRE(left(r, i) == 7);
            else if (std::isfinite(given.scores(r, i / 4, i % 4)))
                REQUIRE_THAT(left(r, i), WithinAbs(given.scores(r, i / 4, i % 4), 1e-5));
            else REQUIRE(std::isinf(left(r, i)));
        }
    }
}

TEMPLATE_TEST_CASE("a pattern of scores of any size adds up to 1", "[cuda][attention_steps]", float, double) {
    auto p = random_problem<TestType>(70, 1, 1, 4, 9);
    p.shape.scale = TestType(1e20);
    auto const given = host_steps(p, {{0, 70, 0}}, 70);
    auto const got = device_steps(p, {{0, 70, 0}}, given, 0);
    for (index r = 0; r < 70; ++r) {
        double sum = 0;
        for (index k = 0; k < 70; ++k) sum += static_cast<double>(got.pattern(r, 0, k));
        REQUIRE_THAT(sum, WithinAbs(1, sum_tolerance<TestType>(70, 1)));
    }
}

TEST_CASE("attention in steps refuses what does not fit", "[cuda][attention_steps]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> q{ctx, {3, 8}}, keys{ctx, {3, 4}};
    backend::device_buffer<float, 3> scores{ctx, {3, 2, 3}}, few{ctx, {3, 2, 2}}, heads{ctx, {3, 3, 3}};
    std::vector<backend::segment<float, backend::device_space>> segments{{0, 3, {}, {}}};
    backend::attention_shape<float> const shape{2, 1, 4, 1}, uneven{3, 2, 4, 1};
    CHECK_THROWS_AS(backend::attention_scores<float>(ctx, shape, q, q, segments, scores.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_scores<float>(ctx, shape, keys, keys, segments, scores.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_scores<float>(ctx, shape, q, keys, segments, few.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_scores<float>(ctx, shape, q, keys, segments, heads.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_softmax<float>(ctx, shape, segments, few.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_softmax<float>(ctx, uneven, segments, heads.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_mix<float>(ctx, shape, scores, q, segments, q.view()), shape_error);
    CHECK_THROWS_AS(backend::attention_mix<float>(ctx, shape, scores, keys, segments, keys.view()), shape_error);
    segments[0].rows = 4;
    CHECK_THROWS_AS(backend::attention_scores<float>(ctx, shape, q, keys, segments, scores.view()), shape_error);
}

}  // namespace
