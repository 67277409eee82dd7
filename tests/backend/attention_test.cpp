#include <plateau/backend/cpu/attention.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;
using plateau::testing::random_buffer;
using plateau::testing::same_bits;
using plateau::testing::same_rows;

backend::cpu_context const ctx{1};

template <class T>
struct problem {
    backend::attention_shape<T> shape;
    buffer<T, 2> q, keys, values;
};

/// `rows` positions of random queries, keys and values.
template <class T>
problem<T> random_problem(index rows, index heads, index kv_heads, index width, std::uint64_t seed) {
    return {{heads, kv_heads, width, static_cast<T>(1 / std::sqrt(static_cast<double>(width)))},
            random_buffer<T, 2>({rows, heads * width}, seed),
            random_buffer<T, 2>({rows, kv_heads * width}, seed + 1000),
            random_buffer<T, 2>({rows, kv_heads * width}, seed + 2000)};
}

template <class T>
std::vector<backend::segment<T>> one_sequence(index rows) {
    return {{0, rows, {}, {}}};
}

template <class T>
buffer<T, 2> attend(problem<T> const& p, std::vector<backend::segment<T>> const& segments) {
    buffer<T, 2> z(p.q.extents());
    backend::prefix_attention<T>(ctx, p.shape, p.q, p.keys, p.values, segments, z.view());
    return z;
}

template <class T>
buffer<T, 3> scores_of(problem<T> const& p, std::vector<backend::segment<T>> const& segments, index keys) {
    buffer<T, 3> scores({p.q.extent(0), p.shape.heads, keys});
    backend::attention_scores<T>(ctx, p.shape, p.q, p.keys, segments, scores.view());
    return scores;
}

template <class T>
buffer<T, 3> pattern_of(problem<T> const& p, std::vector<backend::segment<T>> const& segments, index keys) {
    auto pattern = scores_of(p, segments, keys);
    backend::attention_softmax<T>(ctx, p.shape, segments, pattern.view());
    return pattern;
}

template <class T>
buffer<T, 2> rows_of(buffer<T, 2> const& all, index first, index count) {
    buffer<T, 2> part({count, all.extent(1)});
    for (index r = 0; r < count; ++r) std::copy_n(all[first + r].data(), all.extent(1), part[r].data());
    return part;
}

TEMPLATE_TEST_CASE("attention follows its formula", "[backend][attention]", float, double) {
    index const rows = GENERATE(1, 7, 33), kv_heads = GENERATE(1, 2), group = GENERATE(1, 3),
                width = GENERATE(1, 5, 16, 33);
    index const heads = kv_heads * group;
    auto const p = random_problem<TestType>(rows, heads, kv_heads, width, 1);
    auto const z = attend(p, one_sequence<TestType>(rows));
    for (index r = 0; r < rows; ++r) {
        for (index h = 0; h < heads; ++h) {
            index const kv = h / group;
            std::vector<double> weights;
            double sum = 0;
            for (index j = 0; j <= r; ++j) {
                double dot = 0;
                for (index e = 0; e < width; ++e) {
                    dot += static_cast<double>(p.q(r, h * width + e)) * static_cast<double>(p.keys(j, kv * width + e));
                }
                weights.push_back(std::exp(dot / std::sqrt(static_cast<double>(width))));
                sum += weights.back();
            }
            for (index e = 0; e < width; ++e) {
                double expected = 0, magnitude = 0;
                for (index j = 0; j <= r; ++j) {
                    double const value = static_cast<double>(p.values(j, kv * width + e));
                    expected += weights[static_cast<std::size_t>(j)] / sum * value;
                    magnitude += weights[static_cast<std::size_t>(j)] / sum * std::abs(value);
                }
                // scores of size √E and their roundings go through the exponential
                double const allowed = testing::sum_tolerance<TestType>(rows + 16 * width, magnitude);
                REQUIRE_THAT(static_cast<double>(z(r, h * width + e)), testing::WithinAbs(expected, allowed));
            }
        }
    }
}

TEMPLATE_TEST_CASE("capped scores and windows follow their formulas", "[backend][attention]", float, double) {
    index const rows = GENERATE(1, 7, 33, 150), window = GENERATE(1, 3, 40, 1000);
    auto p = random_problem<TestType>(rows, 4, 2, 8, 1);
    auto const segments = one_sequence<TestType>(rows);
    auto const plain = scores_of(p, segments, rows);
    p.shape.cap = TestType(0.5);
    p.shape.window = window;
    auto const scores = scores_of(p, segments, rows), pattern = pattern_of(p, segments, rows);
    for (index r = 0; r < rows; ++r) {
        for (index h = 0; h < 4; ++h) {
            double sum = 0;
            for (index j = 0; j < rows; ++j) {
                bool const seen = j <= r && j > r - window;
                if (!seen) {
                    REQUIRE(pattern(r, h, j) == 0);
                    REQUIRE(scores(r, h, j) == -std::numeric_limits<TestType>::infinity());
                    continue;
                }
                double const expected = 0.5 * std::tanh(static_cast<double>(plain(r, h, j)) / 0.5);
                REQUIRE_THAT(static_cast<double>(scores(r, h, j)),
                             testing::WithinAbs(expected, testing::rounding_tolerance<TestType>(4)));
                sum += static_cast<double>(pattern(r, h, j));
            }
            REQUIRE_THAT(sum, testing::WithinAbs(1, testing::sum_tolerance<TestType>(rows, 1)));
        }
    }
    // what a window hides cannot be seen: other keys and values there leave every bit
    auto const z = attend(p, segments);
    auto other = p.keys.clone(), other_values = p.values.clone();
    for (index j = 0; j + window < rows; ++j) {
        for (index i = 0; i < other.extent(1); ++i) other(j, i) = other_values(j, i) = TestType(7);
    }
    std::swap(p.keys, other);
    std::swap(p.values, other_values);
    CHECK(same_bits(attend(p, segments)[rows - 1].data(), z[rows - 1].data(), z.extent(1)));
}

TEMPLATE_TEST_CASE("the pattern is a distribution over the keys that a row sees", "[backend][attention]", float,
                   double) {
    index const rows = GENERATE(1, 7, 65);
    auto const p = random_problem<TestType>(rows, 4, 2, 7, GENERATE(1u, 2u));
    auto const segments = one_sequence<TestType>(rows);
    auto const scores = scores_of(p, segments, rows), pattern = pattern_of(p, segments, rows);
    for (index r = 0; r < rows; ++r) {
        for (index h = 0; h < 4; ++h) {
            double sum = 0;
            for (index j = 0; j < rows; ++j) {
                sum += static_cast<double>(pattern(r, h, j));
                if (j <= r) {
                    REQUIRE(pattern(r, h, j) > 0);
                    REQUIRE(pattern(r, h, j) <= 1);
                    REQUIRE(std::isfinite(scores(r, h, j)));
                }
                if (j > r) {
                    REQUIRE(pattern(r, h, j) == 0);
                    REQUIRE(scores(r, h, j) == -std::numeric_limits<TestType>::infinity());
                }
            }
            REQUIRE_THAT(sum, testing::WithinAbs(1, testing::sum_tolerance<TestType>(rows, 1)));
        }
    }
    CHECK(pattern(0, 0, 0) == 1);  // the first position has nothing else to look at
}

TEMPLATE_TEST_CASE("softmax does not see a shift of its scores", "[backend][attention]", float, double) {
    auto const segments = one_sequence<TestType>(7);
    auto scores = random_buffer<TestType, 3>({7, 2, 7}, GENERATE(1u, 2u));
    // multiples of 1/64, so that a shift by a power of two rounds nothing
    for (TestType& s : scores.flat()) s = std::round(s * 64) / 64;
    auto shifted = scores.clone();
    for (TestType& s : shifted.flat()) s += TestType(1024);
    backend::attention_softmax<TestType>(ctx, {1, 1, 1, 1}, segments, scores.view());
    backend::attention_softmax<TestType>(ctx, {1, 1, 1, 1}, segments, shifted.view());
    CHECK(same_bits(scores.data(), shifted.data(), scores.size()));
}

TEMPLATE_TEST_CASE("scores of any size give finite patterns", "[backend][attention]", float, double) {
    auto const segments = one_sequence<TestType>(3);
    buffer<TestType, 3> scores({3, 1, 3});
    for (index r = 0; r < 3; ++r) {
        for (index j = 0; j < 3; ++j) scores(r, 0, j) = static_cast<TestType>(1e30 * static_cast<double>(j - 1));
    }
    backend::attention_softmax<TestType>(ctx, {1, 1, 1, 1}, segments, scores.view());
    CHECK(scores(1, 0, 0) == 0);
    CHECK(scores(1, 0, 1) == 1);
    CHECK(scores(2, 0, 2) == 1);
}

/// Two sequences in one block, one of them after a prefix, with the rows of the other between.
template <class T>
struct mixed {
    index prefix = GENERATE(0, 1, 7, 64);
    problem<T> whole = random_problem<T>(prefix + 5, 4, 2, 9, 11);
    problem<T> other = random_problem<T>(3, 4, 2, 9, 12);
    problem<T> block{whole.shape, join(whole.q, other.q), join(whole.keys, other.keys),
                     join(whole.values, other.values)};
    buffer<T, 2> prefix_keys = rows_of(whole.keys, 0, prefix), prefix_values = rows_of(whole.values, 0, prefix);
    std::vector<backend::segment<T>> segments{{0, 3, {}, {}}, {3, 5, prefix_keys, prefix_values}};

    /// The rows of `last`, then the rows of `first` after the prefix.
    buffer<T, 2> join(buffer<T, 2> const& first, buffer<T, 2> const& last) const {
        buffer<T, 2> all({8, first.extent(1)});
        for (index r = 0; r < 8; ++r) {
            std::copy_n((r < 3 ? last[r] : first[prefix + r - 3]).data(), first.extent(1), all[r].data());
        }
        return all;
    }
};

TEMPLATE_TEST_CASE("rows after a prefix have the bits of the whole sequence", "[backend][attention]", float, double) {
    mixed<TestType> const m;
    auto const z = attend(m.block, m.segments);
    auto const whole = attend(m.whole, one_sequence<TestType>(m.prefix + 5));
    auto const other = attend(m.other, one_sequence<TestType>(3));
    CHECK(same_rows(z.view().rows(3, 5), whole.view().rows(m.prefix, 5)));
    CHECK(same_rows(z.view().rows(0, 3), other.view()));
}

TEMPLATE_TEST_CASE("scores, softmax and mix have the bits of the attention in one go", "[backend][attention]", float,
                   double) {
    mixed<TestType> const m;
    index const keys = m.prefix + 5;
    auto const pattern = pattern_of(m.block, m.segments, keys);
    buffer<TestType, 2> z(m.block.q.extents());
    backend::attention_mix<TestType>(ctx, m.block.shape, pattern, m.block.values, m.segments, z.view());
    CHECK(same_rows(z.view(), attend(m.block, m.segments).view()));
    // room for more keys than any row sees changes nothing
    auto const wider = pattern_of(m.block, m.segments, keys + 11);
    backend::attention_mix<TestType>(ctx, m.block.shape, wider, m.block.values, m.segments, z.view());
    CHECK(same_rows(z.view(), attend(m.block, m.segments).view()));
}

TEMPLATE_TEST_CASE("a row does not see what comes after it", "[backend][attention]", float, double) {
    index const rows = GENERATE(2, 7, 33);
    auto p = random_problem<TestType>(rows, 4, 2, 9, 21);
    auto const before = attend(p, one_sequence<TestType>(rows));
    for (index changed = rows - 1; changed > 0; --changed) {
        for (index i = 0; i < 2 * 9; ++i) {
            p.keys(changed, i) += TestType(3);
            p.values(changed, i) = std::numeric_limits<TestType>::quiet_NaN();
        }
        auto const after = attend(p, one_sequence<TestType>(rows));
        REQUIRE(same_rows(after.view().rows(0, changed), before.view().rows(0, changed)));
        REQUIRE(std::isnan(after(changed, 0)));
    }
}

TEMPLATE_TEST_CASE("sequences of one block do not see each other", "[backend][attention]", float, double) {
    auto p = random_problem<TestType>(7, 2, 1, 5, 31);
    std::vector<backend::segment<TestType>> const segments{{0, 3, {}, {}}, {3, 4, {}, {}}};
    auto const before = attend(p, segments);
    for (index i = 0; i < 5; ++i) p.keys(1, i) = p.values(1, i) = TestType(50);
    auto const after = attend(p, segments);
    CHECK(same_rows(after.view().rows(3, 4), before.view().rows(3, 4)));
    CHECK_FALSE(same_rows(after.view().rows(1, 2), before.view().rows(1, 2)));
}

TEMPLATE_TEST_CASE("grouped heads are repeated heads", "[backend][attention]", float, double) {
    index const rows = 7, kv_heads = GENERATE(1, 2), group = 3, width = GENERATE(4, 9);
    auto const p = random_problem<TestType>(rows, kv_heads * group, kv_heads, width, 41);
    auto repeated = random_problem<TestType>(rows, kv_heads * group, kv_heads * group, width, 41);
    for (index r = 0; r < rows; ++r) {
        for (index h = 0; h < kv_heads * group; ++h) {
            std::copy_n(p.keys[r].data() + h / group * width, width, repeated.keys[r].data() + h * width);
            std::copy_n(p.values[r].data() + h / group * width, width, repeated.values[r].data() + h * width);
        }
    }
    auto const segments = one_sequence<TestType>(rows);
    CHECK(same_rows(attend(p, segments).view(), attend(repeated, segments).view()));
}

TEMPLATE_TEST_CASE("equal keys are averaged", "[backend][attention]", float, double) {
    auto p = random_problem<TestType>(8, 1, 1, 4, 51);
    for (index r = 0; r < 8; ++r) std::copy_n(p.keys[0].data(), 4, p.keys[r].data());
    auto const z = attend(p, one_sequence<TestType>(8));
    for (index e = 0; e < 4; ++e) {
        double mean = 0;
        for (index j = 0; j < 8; ++j) mean += static_cast<double>(p.values(j, e)) / 8;
        CHECK_THAT(static_cast<double>(z(7, e)), testing::WithinAbs(mean, 32 * testing::epsilon_of<TestType>));
    }
}

TEMPLATE_TEST_CASE("strided queries, keys, values and outputs", "[backend][attention]", float, double) {
    auto const p = random_problem<TestType>(5, 2, 1, 6, 61);
    // all three side by side in one matrix, as a fused projection leaves them
    buffer<TestType, 2> fused({5, 12 + 6 + 6}), wide_z({5, 20});
    for (index r = 0; r < 5; ++r) {
        std::copy_n(p.q[r].data(), 12, fused[r].data());
        std::copy_n(p.keys[r].data(), 6, fused[r].data() + 12);
        std::copy_n(p.values[r].data(), 6, fused[r].data() + 18);
    }
    auto const part = [&](index first, index width) {
        return view<TestType const, 2>{fused.data() + first, {5, width}, {24, 1}};
    };
    view<TestType, 2> const z{wide_z.data(), {5, 12}, {20, 1}};
    auto const segments = one_sequence<TestType>(5);
    backend::prefix_attention<TestType>(ctx, p.shape, part(0, 12), part(12, 6), part(18, 6), segments, z);
    CHECK(same_rows(z, attend(p, segments).view()));
}

}  // namespace
