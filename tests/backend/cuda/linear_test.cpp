#include <plateau/backend/cuda.hpp>

#include "backend/cuda/on_device.hpp"

#if PLATEAU_CUDA_ON_CPU
#include <cuda_runtime.h>
#endif

namespace {

using namespace plateau;
using namespace plateau::testing;
using backend::accumulate;
using backend::cuda_context;
using backend::device_weight;
using backend::float_products;
using plateau::index;
using tensor::buffer;

template <class T>
using layer_of = backend::linear_parameters<cuda_context, T>;

/// How products are formed: the context's float_products, and how the weight is stored.
struct mode {
    float_products products;
    bool bf16;
};

template <class T>
std::vector<mode> modes() {
    if constexpr (std::is_same_v<T, double>) return {{float_products::fp32, false}, {float_products::bf16x3, false}};
    return {{float_products::fp32, false},
            {float_products::tf32, false},
            {float_products::bf16x3, false},
            {float_products::fp32, true},
            {float_products::bf16x3, true}};
}

template <class T>
device_weight<T> stored(cuda_context const& ctx, buffer<T, 2> const& w, bool bf16) {
    if constexpr (std::is_same_v<T, float>) {
        if (bf16) return {ctx, in_bfloat16(w)};
    }
    return {ctx, w};
}

template <class T>
backend::linear_weight<T> stored_on_cpu(buffer<T, 2> const& w, bool bf16) {
    if constexpr (std::is_same_v<T, float>) {
        if (bf16) return backend::linear_weight<T>{in_bfloat16(w)};
    }
    return backend::linear_weight<T>{w};
}

/// A value as the products of a mode see it.
template <class T>
T seen(T value, mode const& how) {
    if constexpr (std::is_same_v<T, float>) {
        if (how.bf16) return static_cast<float>(bfloat16{value});
    }
    return value;
}

/// Error of one product x·w relative to |x w|, apart from the sum: of tf32 the roundings of x and w, of bf16x3 those of
/// the parts and the product of the low ones.
template <class T>
double product_error(mode const& how) {
    if (std::is_same_v<T, double> || how.bf16 || how.products == float_products::fp32) return 0;
    constexpr double tf32 = tf32_rounding, split = 0x1p-9;
    return how.products == float_products::tf32 ? 2 * tf32 + tf32 * tf32 : 3 * split * split;
}

/// Σ_k |x w| for the tolerance, and the sum, in double.
template <class T>
void require_product(buffer<T, 2> const& x, buffer<T, 2> const& w, buffer<T, 2> const& y, mode const& how,
                     double factor = 1) {
    index const depth = x.extent(1);
    REQUIRE(y.extents() == std::array{x.extent(0), w.extent(0)});
    for (index r = 0; r < x.extent(0); ++r) {
        for (index n = 0; n < w.extent(0); ++n) {
            double sum = 0, magnitude = 0;
            for (index k = 0; k < depth; ++k) {
                double const term = static_cast<double>(seen(x(r, k), how)) * static_cast<double>(seen(w(n, k), how));
                sum += term;
                magnitude += std::abs(term);
            }
            // sums of random signs come nowhere near the bound of a sum in the worst order, so 16 terms' worth has to
            // do
            double const tolerance =
                factor * (product_error<T>(how) * magnitude + sum_tolerance<T>(std::min<index>(depth, 16), magnitude));
            double const value = static_cast<double>(y(r, n));
            if (!(std::abs(value - sum) <= tolerance)) {
                CAPTURE(r, n, sum, value, tolerance);
                FAIL("not the product");
            }
        }
    }
}

template <class T>
buffer<T, 2> product(cuda_context const& ctx, buffer<T, 2> const& x, device_weight<T> const& weight) {
    auto const rows = backend::to_device(ctx, x);
    backend::device_buffer<T, 2> y{ctx, {x.extent(0), weight.outputs()}};
    backend::linear<T>(ctx, rows, weight, y.view());
    return backend::to_host(ctx, y);
}

struct extents {
    index outputs, inputs;
};

TEMPLATE_TEST_CASE("a linear layer is a matrix product in every mode", "[cuda][linear][blas]", float, double) {
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        for (auto const& e : {extents{1, 1}, {7, 1}, {1, 129}, {32, 65}, {129, 7}, {65, 129}, {24, 40}, {3, 1000}}) {
            auto const w = random_buffer<TestType, 2>({e.outputs, e.inputs}, 1);
            auto const weight = stored(ctx, w, how.bf16);
            for (index const rows : {1, 7, 65, 128, 129, 256}) {
                if (rows > 129 && e.inputs > 65) continue;
                CAPTURE(rows, e.outputs, e.inputs, static_cast<int>(how.products), how.bf16);
                auto const x = random_buffer<TestType, 2>({rows, e.inputs}, 2);
                auto const y = product(ctx, x, weight);
                require_product(x, w, y, how);
                if (how.products != float_products::fp32) continue;
                backend::linear_weight<TestType> const same = stored_on_cpu(w, how.bf16);
                buffer<TestType, 2> on_host({rows, e.outputs});
                backend::linear<TestType>(on_cpu, x, same, on_host);
                require_product(x, w, on_host,
                                how);  // the same tolerance holds for the CPU's: equal up to the order of sums
            }
        }
    }
}

TEMPLATE_TEST_CASE("many rows", "[cuda][linear]", float, double) {
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        auto const w = random_buffer<TestType, 2>({33, 65}, 1);
        auto const x = random_buffer<TestType, 2>({1000, 65}, 2);
        require_product(x, w, product(ctx, x, stored(ctx, w, how.bf16)), how);
    }
}

TEST_CASE("less exact products are told from more exact ones - float", "[cuda][linear][blas]") {
    auto const w = random_buffer<float, 2>({64, 256}, 1);
    auto const x = random_buffer<float, 2>({128, 256}, 2);
    auto const error_of = [&](mode const& how) {
        cuda_context const ctx{how.products};
        auto const y = product(ctx, x, stored(ctx, w, how.bf16));
        double worst = 0;
        for (index r = 0; r < 128; ++r) {
            for (index n = 0; n < 64; ++n) {
                double sum = 0, magnitude = 0;
                for (index k = 0; k < 256; ++k) {
                    double const term = static_cast<double>(x(r, k)) * static_cast<double>(w(n, k));
                    sum += term;
                    magnitude += std::abs(term);
                }
                worst = std::max(worst, std::abs(static_cast<double>(y(r, n)) - sum) / magnitude);
            }
        }
        return worst;
    };
    double const fp32 = error_of({float_products::fp32, false}), tf32 = error_of({float_products::tf32, false});
    double const bf16x3 = error_of({float_products::bf16x3, false}), bf16 = error_of({float_products::fp32, true});
    CAPTURE(fp32, tf32, bf16x3, bf16);
    CHECK(fp32 < 5e-7);
    CHECK(bf16x3 > 2 * fp32);
    CHECK(bf16x3 < 1e-5);
    CHECK(tf32 > 5 * bf16x3);
    CHECK(tf32 < 2e-4 * (tf32_rounding / 0x1p-11));
    if (rounds_each_operation) CHECK(bf16 > 4 * tf32);
    CHECK(bf16 < 2e-3);
}

TEST_CASE("products of three bfloat16 are finite, infinite and no numbers where those of floats are - float",
          "[cuda][linear][blas]") {
    constexpr float most = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
    // between 3.39e38 and `most` the nearest bfloat16 is infinite
    std::vector<float> numbers{0,
                               1,
                               -2.5f,
                               1e-30f,
                               3.39e38f,
                               3.391e38f,
                               3.4e38f,
                               most,
                               0.5f * most,
                               infinity,
                               std::numeric_limits<float>::quiet_NaN()};
    for (std::size_t i = numbers.size(); i-- > 0;) numbers.push_back(-numbers[i]);
    auto const count = static_cast<index>(numbers.size());
    auto const each = [&](index depth, index place) {
        buffer<float, 2> x({count, depth});
        for (index r = 0; r < count; ++r) {
            for (index k = 0; k < depth; ++k) x(r, k) = k == place ? numbers[static_cast<std::size_t>(r)] : 0.25f;
        }
        return x;
    };
    auto const in = [&](float_products products, buffer<float, 2> const& x, buffer<float, 2> const& w) {
        return in_every_order([&](cuda_context const&) {
            cuda_context const ctx{products};
            return product(ctx, x, device_weight<float>{ctx, w});
        });
    };
    // alone, with other numbers about, and two of them in one sum
    for (auto const& [depth, of_x, of_w] : {std::array<index, 3>{1, 0, 0}, {40, 17, 17}, {9, 0, 8}}) {
        CAPTURE(depth, of_x, of_w);
        auto const x = each(depth, of_x), w = each(depth, of_w);
        auto const split = in(float_products::bf16x3, x, w), full = in(float_products::fp32, x, w);
        for (index r = 0; r < count; ++r) {
            for (index n = 0; n < count; ++n) {
                float const found = split(r, n), wanted = full(r, n);
                double magnitude = 0;
                for (index k = 0; k < depth; ++k)
                    magnitude += std::abs(static_cast<double>(x(r, k)) * static_cast<double>(w(n, k)));
                CAPTURE(x(r, of_x), w(n, of_w), found, wanted);
                if (std::isnan(wanted)) REQUIRE(std::isnan(found));
                else if (std::isfinite(magnitude) && magnitude > 0x1p136)
                    REQUIRE(!std::isfinite(found));  // products of low parts may be infinite too
                else if (std::isinf(wanted)) REQUIRE(found == wanted);
                else REQUIRE(std::abs(static_cast<double>(found) - static_cast<double>(wanted)) <= 0x1p-14 * magnitude);
            }
        }
    }
}

TEMPLATE_TEST_CASE("a row's bits depend neither on the number of rows nor on its place", "[cuda][linear][blas]", float,
                   double) {
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        for (auto const& e : {extents{7, 32}, {129, 65}, {24, 1000}}) {
            CAPTURE(e.outputs, e.inputs, static_cast<int>(how.products), how.bf16);
            auto const w = random_buffer<TestType, 2>({e.outputs, e.inputs}, 5);
            auto const weight = stored(ctx, w, how.bf16);
            auto const row = random_buffer<TestType, 2>({1, e.inputs}, 6);
            auto const alone = product(ctx, row, weight);
            for (index const rows : {7, 65, 128, 129, 384}) {
                auto others = random_buffer<TestType, 2>({rows, e.inputs}, 8, 100);
                for (index const place : {index{0}, rows / 2, rows - 1})
                    std::copy_n(row.data(), e.inputs, others[place].data());
                auto const among_others = product(ctx, others, weight);
                CAPTURE(rows);
                for (index const place : {index{0}, rows / 2, rows - 1}) {
                    REQUIRE(same_bits(among_others[place].data(), alone.data(), e.outputs));
                }
            }
            // another context, in which a large block comes first
            cuda_context const later{how.products};
            auto const again = stored(later, w, how.bf16);
            auto many = random_buffer<TestType, 2>({384, e.inputs}, 9);
            std::copy_n(row.data(), e.inputs, many[200].data());
            REQUIRE(same_bits(product(later, many, again)[200].data(), alone.data(), e.outputs));
        }
    }
}

TEMPLATE_TEST_CASE("which algorithms are fastest shows in no result", "[cuda][linear][blas]", float, double) {
    auto const w = random_buffer<TestType, 2>({8, 16}, 5), x = random_buffer<TestType, 2>({1200, 16}, 6);
    for (auto const& how : modes<TestType>()) {
        CAPTURE(static_cast<int>(how.products), how.bf16);
        std::vector<buffer<TestType, 2>> of_many;
        for (int time = 0; time < 6; ++time) {  // a context chooses anew
            cuda_context const ctx{how.products};
            auto const weight = stored(ctx, w, how.bf16);
            of_many.push_back(product(ctx, x, weight));
            REQUIRE(same_rows(of_many.back().view(), of_many.front().view()));
            for (index const rows : {128, 256}) {
                buffer<TestType, 2> few({rows, 16});
                std::copy_n(x.data(), few.size(), few.data());
                REQUIRE(same_rows(product(ctx, few, weight).view(), of_many.front().view().rows(0, rows)));
            }
        }
    }
}

TEMPLATE_TEST_CASE("what comes after a product has the bits of steps of its own", "[cuda][linear]", float, double) {
    for (auto const& how : modes<TestType>()) {
        for (auto const& [rows, e] :
             {std::pair{index{7}, extents{33, 65}}, {index{128}, extents{32, 64}}, {index{130}, extents{16, 8}}}) {
            CAPTURE(rows, e.outputs, e.inputs, static_cast<int>(how.products), how.bf16);
            cuda_context const ctx{how.products};
            auto const weight = stored(ctx, random_buffer<TestType, 2>({e.outputs, e.inputs}, 1), how.bf16);
            auto const other = stored(ctx, random_buffer<TestType, 2>({e.outputs, e.inputs}, 2), how.bf16);
            auto const bias = random_buffer<TestType, 1>({e.outputs}, 3),
                       other_bias = random_buffer<TestType, 1>({e.outputs}, 4);
            auto const b = backend::to_device(ctx, bias), c = backend::to_device(ctx, other_bias);
            auto const x = random_buffer<TestType, 2>({rows, e.inputs}, 5),
                       before = random_buffer<TestType, 2>({rows, e.outputs}, 6);
            auto const with_bias = [&](buffer<TestType, 2> y, buffer<TestType, 1> const& added) {
                for (index r = 0; r < rows; ++r) {
                    for (index n = 0; n < e.outputs; ++n) y(r, n) += added(n);
                }
                return y;
            };
            auto const plain = product(ctx, x, weight);
            auto const own = with_bias(product(ctx, x, weight), bias),
                       up = with_bias(product(ctx, x, other), other_bias);
            layer_of<TestType> const layer{weight, b}, factor{other, c}, bare{weight};
            for (index const gap : {0, 3, 4}) {
                device_rows<TestType> from{ctx, x, gap};
                auto const after = [&](auto const& compute) {
                    device_rows<TestType> y{ctx, before, gap};
                    compute(y.view());
                    return to_host(ctx, y);
                };
                CAPTURE(gap);
                REQUIRE(same_rows(after([&](auto y) { backend::linear<TestType>(ctx, from, bare, y); }).view(),
                                  plain.view()));
                REQUIRE(same_rows(after([&](auto y) { backend::linear<TestType>(ctx, from, layer, y); }).view(),
                                  own.view()));
                for (bool const biased : {false, true}) {
                    auto const sum = after([&](auto y) {
                        backend::linear<TestType>(ctx, from, biased ? layer : bare, y, accumulate::yes);
                    });
                    for (index i = 0; i < sum.size(); ++i) {
                        REQUIRE(same_bits(sum.data()[i],
                                          static_cast<TestType>(before.data()[i] + (biased ? own : plain).data()[i])));
                    }
                }
                for (auto const kind : {activation::silu, activation::gelu, activation::gelu_tanh, activation::relu}) {
                    auto const d_own = backend::to_device(ctx, own), d_up = backend::to_device(ctx, up);
                    backend::device_buffer<TestType, 2> wanted{ctx, {rows, e.outputs}};
                    backend::activate<TestType>(ctx, kind, d_own, {}, wanted.view());
                    auto const once =
                        after([&](auto y) { backend::linear_activate<TestType>(ctx, kind, from, layer, nullptr, y); });
                    REQUIRE(same_rows(once.view(), backend::to_host(ctx, wanted).view()));
                    backend::activate<TestType>(ctx, kind, d_own, d_up, wanted.view());
                    auto const gated =
                        after([&](auto y) { backend::linear_activate<TestType>(ctx, kind, from, layer, &factor, y); });
                    REQUIRE(same_rows(gated.view(), backend::to_host(ctx, wanted).view()));
                }
            }
        }
    }
}

TEMPLATE_TEST_CASE("products in every order of threads", "[cuda][linear]", float, double) {
    auto const w = random_buffer<TestType, 2>({33, 65}, 1), up = random_buffer<TestType, 2>({33, 65}, 2);
    auto const x = random_buffer<TestType, 2>({7, 65}, 3);
    auto const bias = random_buffer<TestType, 1>({33}, 4);
    auto const y = in_every_order([&](cuda_context const& ctx) {
        device_weight<TestType> const weight{ctx, w}, other{ctx, up};
        auto const b = backend::to_device(ctx, bias);
        device_rows<TestType> from{ctx, x, 1};
        device_rows<TestType> out{ctx, buffer<TestType, 2>({7, 33}), 5};
        layer_of<TestType> const factor{other};
        backend::linear_activate<TestType>(ctx, activation::silu, from, {weight, b}, &factor, out);
        backend::linear<TestType>(ctx, from, {weight, b}, out, accumulate::yes);
        return to_host(ctx, out);
    });
    buffer<TestType, 2> wanted({7, 33});
    backend::linear_weight<TestType> const weight{w}, other{up};
    backend::linear_parameters<backend::cpu_context, TestType> const layer{weight, bias}, factor{other};
    backend::linear_activate<TestType>(on_cpu, activation::silu, x, layer, &factor, wanted);
    backend::linear<TestType>(on_cpu, x, layer, wanted, accumulate::yes);
    double const tolerance = 65 * sum_tolerance<TestType>(16, 65);  // of the product of two sums
    require_close(y, in_double(wanted), [&](index) { return tolerance; });
}

TEMPLATE_TEST_CASE("some outputs of a layer", "[cuda][linear]", float, double) {
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        auto const w = random_buffer<TestType, 2>({50, 20}, 1);
        auto const x = random_buffer<TestType, 2>({7, 20}, 2);
        auto const bias = random_buffer<TestType, 1>({50}, 3);
        auto const weight = stored(ctx, w, how.bf16);
        auto const b = backend::to_device(ctx, bias);
        auto const rows = backend::to_device(ctx, x);
        for (auto const& [first, count] :
             {std::pair<index, index>{0, 50}, {0, 16}, {16, 16}, {48, 2}, {49, 1}, {13, 0}, {5, 45}}) {
            CAPTURE(first, count, static_cast<int>(how.products), how.bf16);
            buffer<TestType, 2> part({count, 20});
            for (index n = 0; n < count; ++n) std::copy_n(w[first + n].data(), 20, part[n].data());
            backend::device_buffer<TestType, 2> y{ctx, {7, count}}, plain{ctx, {7, count}};
            backend::linear_outputs<TestType>(ctx, rows, weight, first, count, plain.view());
            auto const products = backend::to_host(ctx, plain);
            require_product(x, part, products, how);
            backend::linear_outputs<TestType>(ctx, rows, {weight, b}, first, count, y.view());
            auto const biased = backend::to_host(ctx, y);
            for (index r = 0; r < 7; ++r) {
                for (index n = 0; n < count; ++n) REQUIRE(biased(r, n) == products(r, n) + bias(first + n));
            }
        }
        backend::device_buffer<TestType, 2> y{ctx, {7, 8}};
        CHECK_THROWS_AS(backend::linear_outputs<TestType>(ctx, rows, weight, 43, 8, y.view()), shape_error);
        CHECK_THROWS_AS(backend::linear_outputs<TestType>(ctx, rows, weight, -1, 8, y.view()), shape_error);
        CHECK_THROWS_AS(backend::linear_outputs<TestType>(ctx, rows, weight, 0, 7, y.view()), shape_error);
    }
}

TEMPLATE_TEST_CASE("what is not finite stays in its row", "[cuda][linear]", float, double) {
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        auto const weight = stored(ctx, random_buffer<TestType, 2>({33, 32}, 9), how.bf16);
        auto x = random_buffer<TestType, 2>({130, 32}, 10);
        auto const clean = product(ctx, x, weight);
        x(64, 3) = std::numeric_limits<TestType>::quiet_NaN();
        x(129, 0) = std::numeric_limits<TestType>::infinity();
        auto const y = product(ctx, x, weight);
        for (index r = 0; r < 130; ++r) {
            if (r == 64 || r == 129) CHECK_FALSE(std::isfinite(y(r, 0)));
            else REQUIRE(same_bits(y[r].data(), clean[r].data(), 33));
        }
    }
}

TEMPLATE_TEST_CASE("rows of a weight are gathered as they were written", "[cuda][linear]", float, double) {
    index const width = GENERATE(1, 7, 32, 65, 1000), gap = GENERATE(0, 1);
    auto const table = random_buffer<TestType, 2>({11, width}, 1);
    std::vector<index> const ids{10, 0, 7, 7, 11, -1, 1};
    for (auto const& how : modes<TestType>()) {
        cuda_context const ctx{how.products};
        auto const weight = stored(ctx, table, how.bf16);
        device_rows<TestType> out{ctx, buffer<TestType, 2>({7, width}), gap};
        backend::gather_rows<TestType>(ctx, weight, ids, out);
        auto const rows = to_host(ctx, out);
        for (std::size_t r = 0; r < ids.size(); ++r) {
            for (index k = 0; k < width; ++k) {
                TestType const value = rows(static_cast<index>(r), k);
                if (r == 4 || r == 5) REQUIRE(std::isnan(value));
                else REQUIRE(same_bits(value, seen(table(ids[r], k), how)));
            }
        }
        backend::device_buffer<TestType, 2> narrow{ctx, {7, width + 1}}, few{ctx, {6, width}};
        CHECK_THROWS_AS(backend::gather_rows<TestType>(ctx, weight, ids, narrow.view()), shape_error);
        CHECK_THROWS_AS(backend::gather_rows<TestType>(ctx, weight, ids, few.view()), shape_error);
    }
}

TEST_CASE("no rows are no work, and extents that do not fit are errors", "[cuda][linear]") {
    cuda_context const ctx;
    device_weight<float> const weight{ctx, random_buffer<float, 2>({7, 5}, 1)},
        narrow{ctx, random_buffer<float, 2>({6, 5}, 1)}, half{ctx, in_bfloat16(random_buffer<float, 2>({7, 5}, 1))};
    CHECK(product(ctx, buffer<float, 2>({0, 5}), weight).size() == 0);
    auto const call = [&](std::array<index, 2> x_extents, std::array<index, 2> y_extents) {
        backend::device_buffer<float, 2> const x{ctx, x_extents};
        backend::device_buffer<float, 2> y{ctx, y_extents};
        backend::linear<float>(ctx, x, weight, y.view());
    };
    CHECK_NOTHROW(call({3, 5}, {3, 7}));
    CHECK_THROWS_AS(call({3, 5}, {3, 5}), shape_error);
    CHECK_THROWS_AS(call({3, 5}, {4, 7}), shape_error);
    CHECK_THROWS_WITH(call({3, 6}, {3, 7}), "the input of a linear layer has shape [3, 6], expected [3, 5]");
    backend::device_buffer<float, 2> x{ctx, {3, 5}}, y{ctx, {3, 7}};
    backend::device_buffer<float, 1> const bias{ctx, {6}};
    CHECK_THROWS_AS(backend::linear<float>(ctx, x, {weight, bias}, y.view()), shape_error);
    for (auto const* other : {&narrow, &half}) {
        layer_of<float> const factor{*other};
        CHECK_THROWS_AS(backend::linear_activate<float>(ctx, activation::silu, x, weight, &factor, y.view()),
                        shape_error);
    }
}

#if PLATEAU_CUDA_ON_CPU
TEST_CASE("scratch memory and algorithms are there after the first product of their size", "[cuda][linear]") {
    cuda_context const ctx;
    device_weight<float> const weight{ctx, random_buffer<float, 2>({7, 5}, 1)};
    auto const x = backend::to_device(ctx, random_buffer<float, 2>({200, 5}, 2));
    backend::device_buffer<float, 2> y{ctx, {200, 7}};
    backend::linear<float>(ctx, x, weight, y.view());
    auto const before = cuda_on_cpu::allocations();
    cuda_on_cpu::fail_call(1000, cudaErrorInvalidValue);
    for (int i = 0; i < 3; ++i)
        backend::linear<float>(ctx, x.view().rows(0, 200 - i), weight, y.view().rows(0, 200 - i));
    CHECK(cuda_on_cpu::allocations() == before);
    // two kernels, a product, its four descriptors and an attribute: nothing is asked of the heuristics again
    int const calls = 1000 - cuda_on_cpu::calls_before_failure();
    cuda_on_cpu::fail_call(0, cudaSuccess);
    CHECK(calls == 3 * 8);
}

TEST_CASE("a call of CUDA or cuBLASLt that fails is an exception, and nothing leaks", "[cuda][linear]") {
    auto const w = random_buffer<float, 2>({5, 6}, 1), x = random_buffer<float, 2>({7, 6}, 2);
    auto const all = [&](float_products products, bool bf16) {
        cuda_context const ctx{products};
        auto const weight = stored(ctx, w, bf16), other = stored(ctx, w, bf16);
        auto const rows = backend::to_device(ctx, x);
        backend::device_buffer<float, 2> y{ctx, {7, 5}}, e{ctx, {2, 6}};
        backend::linear<float>(ctx, rows, weight, y.view());
        layer_of<float> const factor{other};
        backend::linear_activate<float>(ctx, activation::silu, rows, weight, &factor, y.view());
        backend::gather_rows<float>(ctx, weight, std::vector<index>{3, 4}, e.view());
        return backend::to_host(ctx, y);
    };
    for (auto const& [how, status] : {std::pair{mode{float_products::fp32, false}, cudaErrorMemoryAllocation},
                                      {{float_products::bf16x3, false}, cudaErrorInvalidValue},
                                      {{float_products::fp32, true}, cudaErrorInvalidValue}}) {
        auto const before = cuda_on_cpu::allocations();
        auto const right = all(how.products, how.bf16);
        REQUIRE(cuda_on_cpu::allocations() == before);
        int failures = 0;
        for (int call = 1;; ++call) {
            cuda_on_cpu::fail_call(call, status);
            try {
                auto const result = all(how.products, how.bf16);
                if (cuda_on_cpu::calls_before_failure() > 0) break;  // none was left to fail
                REQUIRE(same_rows(result.view(),
                                  right.view()));  // one that nobody needs, as the wait for a copy at the end
            } catch (error const& e) {
                ++failures;
                std::string const what = e.what();
                CAPTURE(call, what);
                bool const of_memory = dynamic_cast<memory_error const*>(&e) != nullptr;
                CHECK(of_memory == (status == cudaErrorMemoryAllocation));
                CHECK((what.find("CUDA ") == 0 || what.find("cuBLASLt ") == 0));
                CHECK(what.find("; ") != std::string::npos);
            }
            CAPTURE(call);
            REQUIRE(cuda_on_cpu::allocations() == before);
        }
        cuda_on_cpu::fail_call(0, cudaSuccess);
        CAPTURE(failures);
        CHECK(failures > 100);
    }
}
#endif

}  // namespace
