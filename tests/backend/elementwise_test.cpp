#include <plateau/backend/cpu/elementwise.hpp>

#include <limits>

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

long double by_definition(activation kind, long double x) {
    long double const pi = std::numbers::pi_v<long double>;
    switch (kind) {
        case activation::silu: return x / (1 + std::exp(-x));
        case activation::gelu: return x * (1 + std::erf(x / std::sqrt(2.0L))) / 2;
        case activation::gelu_tanh: return x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715L * x * x * x))) / 2;
        default: return x > 0 ? x : 0;
    }
}

template <class T>
buffer<T, 2> activated(activation kind, buffer<T, 2> const& x) {
    buffer<T, 2> out(x.extents());
    backend::activate<T>(ctx, kind, x, {}, out.view());
    return out;
}

auto all_activations() { return GENERATE(activation::silu, activation::gelu, activation::gelu_tanh, activation::relu); }

TEMPLATE_TEST_CASE("activations follow their formulas", "[backend][elementwise]", float, double) {
    auto const kind = all_activations();
    buffer<TestType, 2> x({1, 4001});
    for (index i = 0; i < 4001; ++i) x(0, i) = static_cast<TestType>(static_cast<double>(i - 2000) / 100);
    auto const out = activated(kind, x);
    for (index i = 0; i < x.size(); ++i) {
        long double const value = static_cast<long double>(x(0, i));
        // 1 + erf and 1 + tanh cancel for negative x: the error is relative to x, not to the result
        double const allowed = testing::rounding_tolerance<TestType>(static_cast<double>(value));
        REQUIRE_THAT(static_cast<double>(out(0, i)),
                     testing::WithinAbs(static_cast<double>(by_definition(kind, value)), allowed));
    }
}

TEMPLATE_TEST_CASE("activations of huge values are their limits, never NaN", "[backend][elementwise]", float, double) {
    auto const kind = all_activations();
    TestType const most = std::numeric_limits<TestType>::max();
    for (TestType const size : {TestType(50), TestType(1e4), TestType(1e15), TestType(1e30), most / 4, most}) {
        buffer<TestType, 2> x({1, 2});
        x(0, 0) = size;
        x(0, 1) = -size;
        auto const out = activated(kind, x);
        CAPTURE(size);
        CHECK(out(0, 0) == size);
        TestType const tail = size < 100 ? size * std::exp(-size) * TestType(1.001) : 0;
        CHECK(std::abs(out(0, 1)) <= std::numeric_limits<TestType>::min() + tail);
    }
    buffer<TestType, 2> zero({1, 1});
    CHECK(activated(kind, zero)(0, 0) == 0);
}

TEMPLATE_TEST_CASE("a NaN stays a NaN", "[backend][elementwise]", float, double) {
    buffer<TestType, 2> x({1, 1});
    x(0, 0) = std::numeric_limits<TestType>::quiet_NaN();
    CHECK(std::isnan(activated(all_activations(), x)(0, 0)));
}

TEMPLATE_TEST_CASE("relu keeps what is positive, exactly", "[backend][elementwise]", float, double) {
    auto const x = random_buffer<TestType, 2>({3, 65}, GENERATE(1u, 2u));
    auto const out = activated(activation::relu, x);
    for (index i = 0; i < x.size(); ++i) REQUIRE(out.data()[i] == std::max(x.data()[i], TestType{0}));
}

TEMPLATE_TEST_CASE("a gated activation is the product of the two", "[backend][elementwise]", float, double) {
    auto const kind = all_activations();
    index const width = GENERATE(1, 7, 32, 65, 129);
    auto const x = random_buffer<TestType, 2>({3, width}, 1), up = random_buffer<TestType, 2>({3, width}, 2);
    auto const plain = activated(kind, x);
    buffer<TestType, 2> gated({3, width});
    backend::activate<TestType>(ctx, kind, x, up, gated.view());
    for (index i = 0; i < x.size(); ++i) {
        auto const product = static_cast<double>(plain.data()[i]) * static_cast<double>(up.data()[i]);
        double const size = std::abs(static_cast<double>(x.data()[i]) * static_cast<double>(up.data()[i]));
        REQUIRE_THAT(static_cast<double>(gated.data()[i]),
                     testing::WithinAbs(product, testing::rounding_tolerance<TestType>(size)));
    }
    auto in_place = x.clone();
    backend::activate<TestType>(ctx, kind, in_place, up, in_place.view());
    CHECK(same_rows(in_place.view(), gated.view()));
}

TEMPLATE_TEST_CASE("rows are added", "[backend][elementwise]", float, double) {
    index const rows = GENERATE(1, 7, 65), width = GENERATE(1, 32, 129);
    auto const x = random_buffer<TestType, 2>({rows, width}, 1), y = random_buffer<TestType, 2>({rows, width}, 2);
    auto sum = y.clone();
    backend::add<TestType>(ctx, x, sum.view());
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < width; ++i) REQUIRE(sum(r, i) == y(r, i) + x(r, i));
    }
}

TEMPLATE_TEST_CASE("the first row that is not finite is named", "[backend][elementwise]", float, double) {
    auto x = random_buffer<TestType, 2>({7, 33}, 1);
    CHECK(backend::first_not_finite<TestType>(ctx, x) == -1);
    x(5, 0) = std::numeric_limits<TestType>::quiet_NaN();
    CHECK(backend::first_not_finite<TestType>(ctx, x) == 5);
    x(3, 32) = -std::numeric_limits<TestType>::infinity();
    CHECK(backend::first_not_finite<TestType>(ctx, x) == 3);
    buffer<index, 1> cells({2});
    backend::note_not_finite<TestType>(ctx, x, cells.view().rows(1, 1));
    backend::note_not_finite<TestType>(ctx, x.view().rows(0, 3), cells.view().rows(0, 1));
    CHECK(cells(0) == -1);
    CHECK(cells(1) == 3);
    CHECK_THROWS_AS(backend::note_not_finite<TestType>(ctx, x, cells.view()), shape_error);
}

TEMPLATE_TEST_CASE("strides are respected", "[backend][elementwise]", float, double) {
    auto const x = random_buffer<TestType, 2>({3, 7}, 1);
    buffer<TestType, 2> wide({3, 10}), dense({3, 7});
    view<TestType, 2> const part{wide.data(), {3, 7}, {10, 1}};
    backend::add<TestType>(ctx, x, part);
    backend::add<TestType>(ctx, x, dense.view());
    CHECK(same_rows(part, dense.view()));
    backend::activate<TestType>(ctx, activation::silu, part, {}, part);
    CHECK(same_rows(part, activated(activation::silu, dense).view()));
    for (index r = 0; r < 3; ++r) {
        for (index i = 7; i < 10; ++i) CHECK(wide(r, i) == 0);
    }
}

/// Rotates rows [R, H · E] by position · frequency[pair].
template <class T>
buffer<T, 2> rotated(buffer<T, 2> const& x, index heads, std::vector<double> const& positions,
                     std::vector<double> const& frequencies) {
    auto const half = static_cast<index>(frequencies.size());
    buffer<T, 2> cosines({x.extent(0), half}), sines({x.extent(0), half}), out = x.clone();
    for (index r = 0; r < x.extent(0); ++r) {
        for (index i = 0; i < half; ++i) {
            double const angle = positions[static_cast<std::size_t>(r)] * frequencies[static_cast<std::size_t>(i)];
            cosines(r, i) = static_cast<T>(std::cos(angle));
            sines(r, i) = static_cast<T>(std::sin(angle));
        }
    }
    backend::rotate<T>(ctx, out.view(), heads, cosines, sines);
    return out;
}

TEMPLATE_TEST_CASE("rotation turns the pairs of every head and keeps their norms", "[backend][elementwise]", float,
                   double) {
    index const heads = GENERATE(1, 3), half = GENERATE(1, 4, 33);
    std::vector<double> frequencies;
    for (index i = 0; i < half; ++i) frequencies.push_back(1.0 / static_cast<double>(i + 1));
    auto const x = random_buffer<TestType, 2>({3, heads * 2 * half}, 1);
    auto const y = rotated(x, heads, {0, 1, 100}, frequencies);
    CHECK(same_bits(y[0].data(), x[0].data(), heads * 2 * half));  // position 0 turns nothing
    for (index r = 0; r < 3; ++r) {
        for (index h = 0; h < heads; ++h) {
            for (index i = 0; i < half; ++i) {
                index const low = h * 2 * half + i, high = low + half;
                double const a = static_cast<double>(x(r, low)), b = static_cast<double>(x(r, high));
                double const angle = (r == 0 ? 0 : r == 1 ? 1 : 100) * frequencies[static_cast<std::size_t>(i)];
                double const size = testing::rounding_tolerance<TestType>(std::hypot(a, b));
                REQUIRE_THAT(static_cast<double>(y(r, low)),
                             testing::WithinAbs(a * std::cos(angle) - b * std::sin(angle), size));
                REQUIRE_THAT(static_cast<double>(y(r, high)),
                             testing::WithinAbs(b * std::cos(angle) + a * std::sin(angle), size));
                REQUIRE_THAT(std::hypot(static_cast<double>(y(r, low)), static_cast<double>(y(r, high))),
                             testing::WithinAbs(std::hypot(a, b), size));
            }
        }
    }
}

TEMPLATE_TEST_CASE("a rotation of a part of each head leaves the rest", "[backend][elementwise]", float, double) {
    index const heads = 3, width = 10, half = 3;
    auto const x = random_buffer<TestType, 2>({2, heads * width}, 1);
    auto const y = rotated(x, heads, {1, 2}, {1, 0.5, 0.25});
    buffer<TestType, 2> part({2, heads * 2 * half});
    for (index r = 0; r < 2; ++r) {
        for (index h = 0; h < heads; ++h) std::copy_n(x[r].data() + h * width, 2 * half, part[r].data() + h * 2 * half);
    }
    auto const turned = rotated(part, heads, {1, 2}, {1, 0.5, 0.25});
    for (index r = 0; r < 2; ++r) {
        for (index h = 0; h < heads; ++h) {
            CHECK(same_bits(y[r].data() + h * width, turned[r].data() + h * 2 * half, 2 * half));
            CHECK(same_bits(y[r].data() + h * width + 2 * half, x[r].data() + h * width + 2 * half, width - 2 * half));
        }
    }
}

TEMPLATE_TEST_CASE("scale, clip and cap follow their formulas", "[backend][elementwise]", float, double) {
    auto const x = random_buffer<TestType, 2>({5, 131}, 1, 3);
    auto scaled = x.clone(), clipped = x.clone(), capped = x.clone();
    backend::scale<TestType>(ctx, scaled.view(), TestType(1.5));
    backend::clip<TestType>(ctx, clipped.view(), TestType(2));
    backend::cap<TestType>(ctx, capped.view(), TestType(2));
    for (index i = 0; i < x.size(); ++i) {
        auto const value = x.data()[i];
        REQUIRE(scaled.data()[i] == value * TestType(1.5));
        REQUIRE(clipped.data()[i] == std::min(std::max(value, TestType(-2)), TestType(2)));
        double const expected = 2 * std::tanh(static_cast<double>(value) / 2);
        double const error = std::abs(static_cast<double>(capped.data()[i]) - expected);
        REQUIRE(error <= 6 * static_cast<double>(std::numeric_limits<TestType>::epsilon()) * std::abs(expected));
    }
    buffer<TestType, 2> ends({1, 3});
    ends(0, 0) = std::numeric_limits<TestType>::infinity(), ends(0, 1) = -ends(0, 0),
            ends(0, 2) = std::numeric_limits<TestType>::quiet_NaN();
    auto cut = ends.clone();
    backend::clip<TestType>(ctx, cut.view(), TestType(2));
    CHECK(cut(0, 0) == 2);
    CHECK(cut(0, 1) == -2);
    CHECK(std::isnan(cut(0, 2)));
    backend::cap<TestType>(ctx, ends.view(), TestType(2));
    CHECK(ends(0, 0) == 2);
    CHECK(ends(0, 1) == -2);
    CHECK(std::isnan(ends(0, 2)));
}

TEST_CASE("the product of a rotated query and key depends on the distance of their positions alone",
          "[backend][elementwise]") {
    std::vector<double> const frequencies{1, 0.1, 0.01, 0.001};
    auto const vectors = random_buffer<double, 2>({2, 8}, GENERATE(1u, 2u, 3u));
    auto const product = [&](double query_position, double key_position) {
        auto const turned = rotated(vectors, 1, {query_position, key_position}, frequencies);
        double sum = 0;
        for (index i = 0; i < 8; ++i) sum += turned(0, i) * turned(1, i);
        return sum;
    };
    CHECK_THAT(product(5, 2), testing::WithinAbs(product(3, 0), 1e-12));
    CHECK_THAT(product(105, 102), testing::WithinAbs(product(3, 0), 1e-12));
    CHECK(std::abs(product(4, 2) - product(3, 0)) > 1e-6);
}

}  // namespace
