#include <plateau/backend/cpu.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;
using plateau::testing::in_bfloat16;
using plateau::testing::random_buffer;
using plateau::testing::same_bits;
using plateau::testing::same_rows;

backend::cpu_context const ctx{1};

struct extents {
    index outputs, inputs;
};

/// Odd ones, vectors, a panel and a bit, several sums of 256, and so many inputs that few rows stay in cache.
std::vector<extents> const layer_extents{{1, 1},   {1, 7},  {7, 1},     {1, 129},  {129, 1},  {7, 32},
                                         {32, 65}, {65, 7}, {129, 129}, {300, 65}, {64, 600}, {3, 5500}};

template <class T>
buffer<T, 2> product(view<T const, 2> x, backend::linear_weight<T> const& weight) {
    buffer<T, 2> y({x.extent(0), weight.outputs()});
    backend::linear<T>(ctx, x, weight, y);
    return y;
}

/// Σ_k x[r, k] w[n, k] and Σ_k |x[r, k] w[n, k]|.
template <class T>
std::array<double, 2> dot_by_definition(view<T const, 2> x, index r, view<T const, 2> w, index n) {
    double sum = 0, magnitude = 0;
    for (index k = 0; k < x.extent(1); ++k) {
        double const term = static_cast<double>(x(r, k)) * static_cast<double>(w(n, k));
        sum += term;
        magnitude += std::abs(term);
    }
    return {sum, magnitude};
}

template <class T>
void require_product(view<T const, 2> x, view<T const, 2> w, view<T const, 2> y) {
    for (index r = 0; r < x.extent(0); ++r) {
        for (index n = 0; n < w.extent(0); ++n) {
            auto const [sum, magnitude] = dot_by_definition<T>(x, r, w, n);
            if (!(std::abs(static_cast<double>(y(r, n)) - sum) <= testing::sum_tolerance<T>(x.extent(1), magnitude))) {
                CAPTURE(r, n, sum, y(r, n));
                REQUIRE(false);
            }
        }
    }
}

/// The weights of a layer in every storage: full, and for float in bfloat16.
template <class T>
std::vector<backend::linear_weight<T>> weights(extents const& e, std::uint64_t seed) {
    std::vector<backend::linear_weight<T>> all;
    all.emplace_back(random_buffer<T, 2>({e.outputs, e.inputs}, seed));
    if constexpr (std::is_same_v<T, float>)
        all.emplace_back(in_bfloat16(random_buffer<float, 2>({e.outputs, e.inputs}, seed)));
    return all;
}

TEMPLATE_TEST_CASE("a linear layer is a matrix product", "[backend][linear]", float, double) {
    index const rows = GENERATE(1, 2, 63, 64, 65, 130);
    for (auto const& e : layer_extents) {
        CAPTURE(rows, e.outputs, e.inputs);
        auto const x = random_buffer<TestType, 2>({rows, e.inputs}, 1);
        auto const w = random_buffer<TestType, 2>({e.outputs, e.inputs}, 2);
        require_product<TestType>(x, w, product<TestType>(x, backend::linear_weight<TestType>{w}));
    }
    SUCCEED();
}

TEST_CASE("a weight in bfloat16 multiplies inputs rounded to bfloat16, in float", "[backend][linear]") {
    index const rows = GENERATE(1, 65);
    for (auto const& e : layer_extents) {
        CAPTURE(rows, e.outputs, e.inputs);
        auto const x = random_buffer<float, 2>({rows, e.inputs}, 3),
                   w = random_buffer<float, 2>({e.outputs, e.inputs}, 4);
        backend::linear_weight<float> const weight{in_bfloat16(w)};
        REQUIRE(weight.is_bf16());
        auto rounded_x = x.clone(), rounded_w = w.clone();
        for (float& value : rounded_x.flat()) value = static_cast<float>(bfloat16{value});
        for (float& value : rounded_w.flat()) value = static_cast<float>(bfloat16{value});
        require_product<float>(rounded_x, rounded_w, product<float>(x, weight));
    }
    SUCCEED();
}

TEMPLATE_TEST_CASE("a row's bits depend neither on the number of rows nor on its place", "[backend][linear]", float,
                   double) {
    for (auto const& e : layer_extents) {
        for (auto const& weight : weights<TestType>(e, 5)) {
            CAPTURE(e.outputs, e.inputs, weight.is_bf16());
            auto const row = random_buffer<TestType, 2>({1, e.inputs}, 6);
            auto const alone = product<TestType>(row, weight);
            for (index const rows : {2, 63, 64, 65, 130}) {
                auto x = random_buffer<TestType, 2>({rows, e.inputs}, 7, 100);
                for (index r = 0; r < rows; ++r) std::copy_n(row.data(), e.inputs, x[r].data());
                auto const everywhere = product<TestType>(x, weight);
                auto others = random_buffer<TestType, 2>({rows, e.inputs}, 8, 100);
                index const place = rows / 2;
                std::copy_n(row.data(), e.inputs, others[place].data());
                auto const among_others = product<TestType>(others, weight);
                CAPTURE(rows);
                REQUIRE(same_bits(among_others[place].data(), alone.data(), e.outputs));
                for (index r = 0; r < rows; ++r) {
                    if (!same_bits(everywhere[r].data(), alone.data(), e.outputs)) {
                        CAPTURE(r);
                        REQUIRE(false);
                    }
                }
            }
        }
    }
}

TEMPLATE_TEST_CASE("what comes after a product has the bits of steps of its own", "[backend][linear]", float, double) {
    index const rows = GENERATE(1, 130);
    for (extents const e : {extents{7, 32}, {64, 600}, {129, 65}, {70, 5500}}) {
        auto const bias = random_buffer<TestType, 1>({e.outputs}, 3),
                   other_bias = random_buffer<TestType, 1>({e.outputs}, 4);
        auto const x = random_buffer<TestType, 2>({rows, e.inputs}, 5);
        auto const all = weights<TestType>(e, 6), others = weights<TestType>(e, 7);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CAPTURE(rows, e.outputs, e.inputs, i);
            auto const biased_product = [&](backend::linear_parameters<backend::cpu_context, TestType> const& layer) {
                auto y = product<TestType>(x, layer.weight);
                for (index r = 0; r < rows; ++r) {
                    for (index n = 0; n < e.outputs; ++n) y(r, n) += layer.bias[n];
                }
                return y;
            };
            backend::linear_parameters<backend::cpu_context, TestType> const layer{all[i], bias},
                factor{others[i], other_bias};
            auto const product_and_bias = biased_product(layer), up = biased_product(factor);
            buffer<TestType, 2> y({rows, e.outputs}), wanted({rows, e.outputs});
            backend::linear<TestType>(ctx, x, layer, y);
            REQUIRE(same_rows(y.view(), product_and_bias.view()));

            auto const before = random_buffer<TestType, 2>({rows, e.outputs}, 8);
            auto sum = before.clone();
            backend::linear<TestType>(ctx, x, layer, sum, backend::accumulate::yes);
            for (index k = 0; k < sum.size(); ++k)
                REQUIRE(sum.data()[k] == before.data()[k] + product_and_bias.data()[k]);

            backend::linear_activate<TestType>(ctx, activation::gelu, x, layer, nullptr, y);
            backend::activate<TestType>(ctx, activation::gelu, product_and_bias, {}, wanted.view());
            REQUIRE(same_rows(y.view(), wanted.view()));
            backend::linear_activate<TestType>(ctx, activation::silu, x, layer, &factor, y);
            backend::activate<TestType>(ctx, activation::silu, product_and_bias, up, wanted.view());
            REQUIRE(same_rows(y.view(), wanted.view()));
        }
    }
}

TEMPLATE_TEST_CASE("what is not finite stays in its row", "[backend][linear]", float, double) {
    auto const weight = backend::linear_weight<TestType>{random_buffer<TestType, 2>({65, 32}, 9)};
    auto x = random_buffer<TestType, 2>({130, 32}, 10);
    auto const clean = product<TestType>(x, weight);
    x(64, 3) = std::numeric_limits<TestType>::quiet_NaN();
    x(129, 0) = std::numeric_limits<TestType>::infinity();
    auto const y = product<TestType>(x, weight);
    for (index r = 0; r < 130; ++r) {
        if (r == 64 || r == 129) CHECK_FALSE(std::isfinite(y(r, 0)));
        else REQUIRE(same_bits(y[r].data(), clean[r].data(), 65));
    }
}

TEMPLATE_TEST_CASE("views with a stride give the same bits, and what lies between is left alone", "[backend][linear]",
                   float, double) {
    index const rows = GENERATE(1, 64, 65, 130);
    extents const e = GENERATE(extents{32, 65}, extents{300, 7}, extents{1, 32});
    for (auto const& weight : weights<TestType>(e, 11)) {
        auto const x = random_buffer<TestType, 2>({rows, e.inputs}, 12);
        auto wide_x = random_buffer<TestType, 2>({rows, e.inputs + 5}, 13);
        for (index r = 0; r < rows; ++r) std::copy_n(x[r].data(), e.inputs, wide_x[r].data());
        buffer<TestType, 2> wide_y({rows, e.outputs + 3});
        for (TestType& value : wide_y.flat()) value = TestType{-7};
        view<TestType const, 2> const strided_x{wide_x.data(), {rows, e.inputs}, {e.inputs + 5, 1}};
        view<TestType, 2> const strided_y{wide_y.data(), {rows, e.outputs}, {e.outputs + 3, 1}};
        backend::linear<TestType>(ctx, strided_x, weight, strided_y);
        CHECK(same_rows(strided_y, product<TestType>(x, weight).view()));
        for (index r = 0; r < rows; ++r) {
            for (index n = e.outputs; n < e.outputs + 3; ++n) REQUIRE(wide_y(r, n) == TestType{-7});
        }
    }
}

TEMPLATE_TEST_CASE("a linear layer overwrites its output", "[backend][linear]", float, double) {
    backend::linear_weight<TestType> const weight{random_buffer<TestType, 2>({7, 7}, 1)};
    index const rows = GENERATE(3, 64);
    auto const x = random_buffer<TestType, 2>({rows, 7}, 2);
    buffer<TestType, 2> y({rows, 7});
    for (TestType& value : y.flat()) value = std::numeric_limits<TestType>::quiet_NaN();
    backend::linear<TestType>(ctx, x, weight, y);
    CHECK(same_rows(y.view(), product<TestType>(x, weight).view()));
}

TEST_CASE("no rows are no work", "[backend][linear]") {
    backend::linear_weight<float> const weight{random_buffer<float, 2>({7, 5}, 1)};
    buffer<float, 2> const x({0, 5});
    CHECK(product<float>(x, weight).size() == 0);
}

TEST_CASE("extents that do not fit are errors that say what was expected", "[backend][linear]") {
    backend::linear_weight<float> const weight{random_buffer<float, 2>({7, 5}, 1)};
    auto const call = [&](std::array<index, 2> x_extents, std::array<index, 2> y_extents) {
        buffer<float, 2> const x(x_extents);
        buffer<float, 2> y(y_extents);
        backend::linear<float>(ctx, x, weight, y);
    };
    CHECK_NOTHROW(call({3, 5}, {3, 7}));
    CHECK_THROWS_AS(call({3, 6}, {3, 7}), shape_error);
    CHECK_THROWS_AS(call({3, 5}, {3, 5}), shape_error);
    CHECK_THROWS_AS(call({3, 5}, {4, 7}), shape_error);
    backend::linear_weight<float> const other{random_buffer<float, 2>({6, 5}, 1)},
        half{in_bfloat16(random_buffer<float, 2>({7, 5}, 1))};
    buffer<float, 2> const x({3, 5});
    buffer<float, 2> y({3, 7});
    for (auto const* weights : {&other, &half}) {
        backend::linear_parameters<backend::cpu_context, float> const factor{*weights};
        CHECK_THROWS_AS(backend::linear_activate<float>(ctx, activation::silu, x, weight, &factor, y), shape_error);
    }
    CHECK_THROWS_WITH(call({3, 6}, {3, 7}), "the input of a linear layer has shape [3, 6], expected [3, 5]");
}

TEMPLATE_TEST_CASE("rows are gathered bit for bit", "[backend][linear]", float, double) {
    auto const table = random_buffer<TestType, 2>({32, 65}, 1);
    backend::linear_weight<TestType> const weight{table.clone()};
    std::vector<index> const ids{31, 0, 7, 7, 1};
    buffer<TestType, 2> out({5, 65});
    backend::gather_rows<TestType>(ctx, weight, ids, out);
    for (std::size_t r = 0; r < ids.size(); ++r) {
        CHECK(same_bits(out[static_cast<index>(r)].data(), table[ids[r]].data(), 65));
    }
    buffer<TestType, 2> narrow({5, 64}), short_one({4, 65});
    CHECK_THROWS_AS(backend::gather_rows<TestType>(ctx, weight, ids, narrow), shape_error);
    CHECK_THROWS_AS(backend::gather_rows<TestType>(ctx, weight, ids, short_one), shape_error);
}

TEST_CASE("rows of a bfloat16 table are gathered widened", "[backend][linear]") {
    auto const table = random_buffer<float, 2>({7, 33}, 1);
    backend::linear_weight<float> const weight{in_bfloat16(table)};
    std::vector<index> const ids{6, 2};
    buffer<float, 2> out({2, 33});
    backend::gather_rows<float>(ctx, weight, ids, out);
    for (index k = 0; k < 33; ++k) {
        REQUIRE(out(0, k) == static_cast<float>(bfloat16{table(6, k)}));
        REQUIRE(out(1, k) == static_cast<float>(bfloat16{table(2, k)}));
    }
}

TEST_CASE("bfloat16 storage goes with float alone", "[backend][linear]") {
    STATIC_REQUIRE(std::is_constructible_v<backend::linear_weight<float>, buffer<bfloat16, 2>>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<backend::linear_weight<double>, buffer<bfloat16, 2>>);
    STATIC_REQUIRE(std::is_constructible_v<backend::linear_weight<double>, buffer<double, 2>>);
}

}  // namespace
