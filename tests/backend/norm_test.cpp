#include <plateau/backend/cpu/norm.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::testing::random_buffer;
using plateau::testing::random_vector;
using plateau::testing::same_bits;
using plateau::testing::same_rows;

backend::cpu_context const ctx{1};

template <class T>
struct normalized {
    buffer<T, 1> scale;
    buffer<T, 2> rows;
};

template <class T>
normalized<T> rms(buffer<T, 2> const& x, double epsilon) {
    normalized<T> result{buffer<T, 1>({x.extent(0)}), buffer<T, 2>(x.extents())};
    backend::rms_scale<T>(ctx, x, epsilon, result.scale.view());
    backend::divide_rows<T>(ctx, x, result.scale, result.rows.view());
    return result;
}

template <class T>
normalized<T> layer(buffer<T, 2> const& x, double epsilon) {
    normalized<T> result{buffer<T, 1>({x.extent(0)}), buffer<T, 2>(x.extents())};
    backend::centre_and_scale<T>(ctx, x, epsilon, result.rows.view(), result.scale.view());
    backend::divide_rows<T>(ctx, result.rows, result.scale, result.rows.view());
    return result;
}

/// Mean, and mean square about it or about zero.
template <class Row>
std::array<long double, 2> moments(Row const& x, bool about_mean) {
    long double mean = 0, square = 0;
    for (index i = 0; i < x.extent(0); ++i) mean += static_cast<long double>(x(i));
    mean /= static_cast<long double>(x.extent(0));
    for (index i = 0; i < x.extent(0); ++i) {
        long double const value = static_cast<long double>(x(i)) - (about_mean ? mean : 0);
        square += value * value;
    }
    return {mean, square / static_cast<long double>(x.extent(0))};
}

TEMPLATE_TEST_CASE("the scale of RMSNorm is the definition's, rounded once", "[backend][norm]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 129);
    double const epsilon = GENERATE(0.0, 1e-5, 3.0);
    auto const x = random_buffer<TestType, 2>({5, width}, GENERATE(1u, 2u));
    auto const result = rms(x, epsilon);
    for (index r = 0; r < 5; ++r) {
        auto const expected = std::sqrt(moments(x[r], false)[1] + static_cast<long double>(epsilon));
        REQUIRE_THAT(static_cast<double>(result.scale(r)),
                     testing::WithinAbs(static_cast<double>(expected),
                                        testing::rounding_tolerance<TestType>(static_cast<double>(expected))));
        for (index i = 0; i < width; ++i) {
            auto const value = static_cast<double>(static_cast<long double>(x(r, i)) / expected);
            REQUIRE_THAT(static_cast<double>(result.rows(r, i)),
                         testing::WithinAbs(value, testing::rounding_tolerance<TestType>(value)));
        }
    }
}

TEMPLATE_TEST_CASE("after RMSNorm the mean square is 1", "[backend][norm]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 129);
    double const magnitude = GENERATE(1e-6, 1.0, 1e6);
    auto const result = rms(random_buffer<TestType, 2>({3, width}, 3, magnitude), 0);
    for (index r = 0; r < 3; ++r) {
        REQUIRE_THAT(static_cast<double>(moments(result.rows[r], false)[1]),
                     testing::WithinAbs(1, 8 * testing::epsilon_of<TestType>));
    }
}

TEMPLATE_TEST_CASE("norms without epsilon do not see a positive factor", "[backend][norm]", float, double) {
    auto const x = random_buffer<TestType, 2>({4, 65}, GENERATE(4u, 5u));
    auto larger = x.clone();
    for (TestType& value : larger.flat()) value *= TestType{64};  // a power of two rounds nothing
    CHECK(same_rows(rms(x, 0).rows.view(), rms(larger, 0).rows.view()));
    CHECK(same_rows(layer(x, 0).rows.view(), layer(larger, 0).rows.view()));
}

TEMPLATE_TEST_CASE("the scale of LayerNorm is the definition's", "[backend][norm]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 129);
    double const epsilon = GENERATE(1e-5, 3.0);
    auto const x = random_buffer<TestType, 2>({5, width}, GENERATE(1u, 2u));
    auto const result = layer(x, epsilon);
    for (index r = 0; r < 5; ++r) {
        auto const [mean, square] = moments(x[r], true);
        auto const scale = std::sqrt(square + static_cast<long double>(epsilon));
        REQUIRE_THAT(static_cast<double>(result.scale(r)),
                     testing::WithinAbs(static_cast<double>(scale),
                                        testing::rounding_tolerance<TestType>(static_cast<double>(scale))));
        for (index i = 0; i < width; ++i) {
            auto const value = static_cast<double>((static_cast<long double>(x(r, i)) - mean) / scale);
            // the mean carries an error of double, relative to itself
            double const allowed = testing::rounding_tolerance<TestType>(value) +
                                   8 * testing::epsilon_of<double> * static_cast<double>((std::abs(mean) + 1) / scale);
            REQUIRE_THAT(static_cast<double>(result.rows(r, i)), testing::WithinAbs(value, allowed));
        }
    }
}

TEMPLATE_TEST_CASE("after LayerNorm the mean is 0 and the variance 1, however far off the mean was", "[backend][norm]",
                   float, double) {
    index const width = GENERATE(7, 32, 65, 129);
    double const offset = GENERATE(0.0, 1000.0);
    auto x = random_buffer<TestType, 2>({3, width}, 6);
    for (TestType& value : x.flat()) value += static_cast<TestType>(offset);
    auto const result = layer(x, 0);
    for (index r = 0; r < 3; ++r) {
        auto const [mean, variance] = moments(result.rows[r], true);
        CHECK(std::abs(static_cast<double>(mean)) <= 1e-12 + 8 * testing::epsilon_of<TestType>);
        CHECK_THAT(static_cast<double>(variance), testing::WithinAbs(1, 1e-11 + 16 * testing::epsilon_of<TestType>));
    }
}

TEMPLATE_TEST_CASE("an epsilon of 1e12 makes the norm a division by a million", "[backend][norm]", float, double) {
    // Checkpoints fine-tuned without norms say so: ε = 1e12 and weights of 1e6.
    auto const x = random_buffer<TestType, 2>({4, 65}, GENERATE(7u, 8u));
    for (index r = 0; r < 4; ++r) {
        // √(1e12 + about 1): in float the million itself
        CHECK_THAT(static_cast<double>(rms(x, 1e12).scale(r)), testing::WithinAbs(1e6, 2e-6));
        CHECK_THAT(static_cast<double>(layer(x, 1e12).scale(r)), testing::WithinAbs(1e6, 2e-6));
        if constexpr (std::is_same_v<TestType, float>) CHECK(layer(x, 1e12).scale(r) == 1e6f);
    }
    buffer<TestType, 1> weight({65});
    for (TestType& value : weight.flat()) value = TestType(1e6);
    buffer<TestType, 2> out({4, 65});
    backend::affine<TestType>(ctx, rms(x, 1e12).rows, weight, {}, out.view());
    for (index i = 0; i < x.size(); ++i) {
        auto const value = static_cast<double>(x.data()[i]);
        REQUIRE_THAT(static_cast<double>(out.data()[i]),
                     testing::WithinAbs(value, testing::rounding_tolerance<TestType>(value) + 2e-12 * std::abs(value)));
    }
}

TEMPLATE_TEST_CASE("a constant row is its mean: LayerNorm gives zeros", "[backend][norm]", float, double) {
    buffer<TestType, 2> x({1, 32});
    for (TestType& value : x.flat()) value = TestType(3);
    auto const result = layer(x, 1e-5);
    CHECK(result.scale(0) == static_cast<TestType>(std::sqrt(1e-5)));
    for (TestType value : result.rows.flat()) CHECK(value == 0);
}

TEST_CASE("sums are taken in double: squares of large floats do not overflow", "[backend][norm]") {
    auto const x = random_buffer<float, 2>({1, 65}, 1, 1e30);
    auto const require_finite = [](normalized<float> const& result) {
        CHECK(std::isfinite(result.scale(0)));
        for (float value : result.rows.flat()) REQUIRE(std::isfinite(value));
    };
    require_finite(rms(x, 1e-5));
    require_finite(layer(x, 1e-5));
}

TEMPLATE_TEST_CASE("weight and bias act element by element, absent ones do nothing", "[backend][norm]", float, double) {
    index const width = GENERATE(1, 7, 65);
    auto const x = random_buffer<TestType, 2>({3, width}, 1);
    auto const w = random_buffer<TestType, 1>({width}, 2), b = random_buffer<TestType, 1>({width}, 3);
    buffer<TestType, 1> const none;
    buffer<TestType, 2> both({3, width}), weighted({3, width}), biased({3, width}), plain({3, width});
    backend::affine<TestType>(ctx, x, w, b, both.view());
    backend::affine<TestType>(ctx, x, w, none, weighted.view());
    backend::affine<TestType>(ctx, x, none, b, biased.view());
    backend::affine<TestType>(ctx, x, none, none, plain.view());
    CHECK(same_rows(plain.view(), x.view()));
    for (index r = 0; r < 3; ++r) {
        for (index i = 0; i < width; ++i) {
            REQUIRE(weighted(r, i) == x(r, i) * w(i));
            REQUIRE(biased(r, i) == x(r, i) + b(i));
            double const product = static_cast<double>(x(r, i)) * static_cast<double>(w(i));
            double const sum = product + static_cast<double>(b(i));
            REQUIRE_THAT(
                static_cast<double>(both(r, i)),
                testing::WithinAbs(sum, testing::sum_tolerance<TestType>(2, std::abs(product) + std::abs(sum))));
        }
    }
    auto in_place = x.clone();
    backend::affine<TestType>(ctx, in_place, w, b, in_place.view());
    CHECK(same_rows(in_place.view(), both.view()));
}

TEMPLATE_TEST_CASE("a row is normalised alone: its bits depend neither on the others nor on its place",
                   "[backend][norm]", float, double) {
    index const width = GENERATE(7, 65, 129);
    auto const row = random_buffer<TestType, 2>({1, width}, 1);
    auto x = random_buffer<TestType, 2>({65, width}, 2, 50);
    index const place = GENERATE(0, 33, 64);
    std::copy_n(row.data(), width, x[place].data());
    CHECK(same_bits(rms(x, 1e-5).rows[place].data(), rms(row, 1e-5).rows.data(), width));
    CHECK(same_bits(layer(x, 1e-5).rows[place].data(), layer(row, 1e-5).rows.data(), width));
}

}  // namespace
