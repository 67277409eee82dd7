#include <plateau/backend/cpu.hpp>

#include <cmath>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using backend::cpu_context;
using backend::float_products;
using backend::instruction_set;
using plateau::index;
using plateau::testing::random_vector;
using plateau::testing::same_bits;

constexpr float infinity = std::numeric_limits<float>::infinity();
auto const& emulated = backend::emulated_tiles::table;

std::size_t at(index i) { return static_cast<std::size_t>(i); }

/// Paths with tiles.
std::vector<instruction_set> paths() {
    std::vector<instruction_set> all{instruction_set::amx_emulated};
    if (backend::find_tiles() == backend::tiles::here) all.push_back(instruction_set::amx);
    return all;
}

/// Values of float in parts, [parts, rows, words].
struct split_rows {
    index words;
    std::vector<std::uint32_t> parts;

    split_rows(backend::kernel_table<float> const& kernels, std::vector<float> const& x, index depth, int count)
        : words{(depth + 1) / 2}, parts(x.size() / at(depth) * at(words * count)) {
        index const rows = static_cast<index>(x.size()) / depth;
        for (index r = 0; r < rows; ++r)
            kernels.split_row(x.data() + r * depth, depth, count, parts.data() + r * words, rows * words);
    }
    backend::part_rows rows(int count) const {
        return {parts.data(), words, static_cast<index>(parts.size()) / count, count};
    }
};

/// A panel of `count` parts, [parts, words, 64], of weights [64, depth].
std::vector<std::uint32_t> panel_of(std::vector<float> const& w, index depth, int count) {
    split_rows const rows{emulated, w, depth, count};
    std::vector<std::uint32_t> panel(rows.parts.size());
    for (int p = 0; p < count; ++p) {
        for (index j = 0; j < 64; ++j) {
            for (index k = 0; k < rows.words; ++k)
                panel[at((p * rows.words + k) * 64 + j)] = rows.parts[at((p * 64 + j) * rows.words + k)];
        }
    }
    return panel;
}

/// c [rows, 64] of x [rows, depth] and w [64, depth], with as many parts each.
std::vector<float> product(backend::kernel_table<float> const& kernels, std::vector<float> const& x,
                           std::vector<float> const& w, index depth, int x_parts, int w_parts, int orders) {
    split_rows const rows{kernels, x, depth, x_parts};
    auto const panel = panel_of(w, depth, w_parts);
    index const count = static_cast<index>(x.size()) / depth;
    std::vector<float> c(at(count * 64), std::numeric_limits<float>::quiet_NaN());
    kernels.multiply_parts(rows.rows(x_parts), {panel.data(), 64, rows.words * 64, w_parts}, count, depth, orders,
                           {c.data(), 64});
    return c;
}

/// A float as the unit takes and gives it.
float flushed(float x) { return std::abs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

/// A multiply-add as the manual has it, for operands whose results are normal or far below.
float multiply_add(float x, float w, float sum) { return flushed(std::fma(flushed(x), flushed(w), sum)); }

TEST_CASE("an emulated tile sums in the order of the manual", "[backend][tiles]") {
    for (int const range : {0, 60}) {  // powers of two that values are spread over: some products become subnormal
        index const depth = 75;
        auto x = random_vector<float>(depth, 1), w = random_vector<float>(64 * depth, 2);
        for (std::size_t i = 0; i < x.size(); ++i)
            x[i] = static_cast<float>(bfloat16{std::ldexp(x[i], -range - static_cast<int>(i % 7) * range / 12)});
        for (std::size_t i = 0; i < w.size(); ++i)
            w[i] = static_cast<float>(bfloat16{std::ldexp(w[i], -range - static_cast<int>(i % 5) * range / 20)});
        auto const c = product(emulated, x, w, depth, 1, 1, 1);
        int zeros = 0;
        for (index j = 0; j < 64; ++j) {
            float sum = 0;
            for (index first = 0; first < depth; first += 32) {
                float even = 0, odd = 0;
                for (index k = first; k < std::min(first + 32, depth); ++k) {
                    float& chain = k % 2 == 0 ? even : odd;
                    chain = multiply_add(x[at(k)], w[at(j * depth + k)], chain);
                }
                sum = flushed(sum + flushed(even + odd));
            }
            zeros += sum == 0;
            REQUIRE(same_bits(c[at(j)], sum));
        }
        CHECK((range == 0 ? zeros == 0 : zeros < 64));
    }
}

TEST_CASE("three parts are a float, and what has no parts stays what it is", "[backend][tiles]") {
    auto values = random_vector<float>(2000, 3);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::ldexp(values[i], static_cast<int>(i % 200) - 100);
    constexpr float most = std::numeric_limits<float>::max();
    for (float const special : {most, -most, 0.0f, -0.0f, 1.0f, infinity, -infinity}) values.push_back(special);
    values.push_back(std::numeric_limits<float>::quiet_NaN());
    values.push_back(3.0f);  // so that the last word is half filled
    auto const count = static_cast<index>(values.size());
    REQUIRE(count % 2 == 1);
    index const words = (count + 1) / 2;
    std::vector<std::pair<std::string_view, backend::kernel_table<float> const*>> tables{{"in plain C++", &emulated}};
#if defined(__x86_64__)
    if (backend::widest_instruction_set() >= instruction_set::avx512)  // tiles or not: it takes AVX-512
        tables.emplace_back("in vectors", &backend::avx512::amx::table);
#endif
    for (auto const& [name, kernels] : tables) {
        std::vector<std::uint32_t> parts(at(3 * words), 0xFFFFFFFFu);
        kernels->split_row(values.data(), count, 3, parts.data(), words);
        for (index i = 0; i < count; ++i) {
            float sum = 0, left = values[at(i)];
            for (int p = 2; p >= 0; --p) {
                bfloat16 part;
                part.bits = static_cast<std::uint16_t>(parts[at(p * words + i / 2)] >> (i % 2 * 16));
                sum += static_cast<float>(part);
            }
            CAPTURE(name, i, left);
            if (std::isnan(left)) CHECK(std::isnan(sum));
            else REQUIRE(sum == left);
            for (int p = 0; p < 3; ++p) {
                auto const bits = backend::take_part(left).bits;
                REQUIRE(bits == static_cast<std::uint16_t>(parts[at(p * words + i / 2)] >> (i % 2 * 16)));
            }
        }
        CHECK(parts[at(words - 1)] >> 16 == 0);
    }
}

TEST_CASE("products of parts are those of their floats, in any block of rows", "[backend][tiles]") {
    struct kind {
        int x, w, orders;
        double error;  ///< of a product of two values, over its size
    };
    for (auto const path : paths()) {
        auto const& kernels = backend::kernels_of<float>(path);
        for (index const depth : {1, 2, 31, 32, 33, 64, 100, 289}) {
            for (auto const& [x_parts, w_parts, orders, error] :
                 {kind{1, 1, 1, 0x1p-7}, kind{2, 2, 2, 0x3p-16}, kind{3, 3, 3, 0x4p-24}, kind{3, 2, 3, 0x1p-15},
                  kind{3, 1, 3, 0x1p-7}}) {
                index const rows = 50;
                auto const x = random_vector<float>(rows * depth, 4), w = random_vector<float>(64 * depth, 5);
                auto const all = product(kernels, x, w, depth, x_parts, w_parts, orders);
                for (index r = 0; r < rows; ++r) {
                    for (index j = 0; j < 64; ++j) {
                        double sum = 0, size = 0;
                        for (index k = 0; k < depth; ++k) {
                            double const term =
                                static_cast<double>(x[at(r * depth + k)]) * static_cast<double>(w[at(j * depth + k)]);
                            sum += term;
                            size += std::abs(term);
                        }
                        CAPTURE(name_of(path), depth, x_parts, w_parts, r, j);
                        double const off = std::abs(static_cast<double>(all[at(r * 64 + j)]) - sum);
                        if (off > error * size + testing::sum_tolerance<float>(depth, size)) REQUIRE(off == 0);
                    }
                }
                for (auto const& [first, count] : {std::pair<index, index>{0, 1},
                                                   {17, 1},
                                                   {3, 15},
                                                   {1, 16},
                                                   {20, 17},
                                                   {5, 31},
                                                   {0, 32},
                                                   {16, 33},
                                                   {49, 1}}) {
                    std::vector<float> const some(x.begin() + first * depth, x.begin() + (first + count) * depth);
                    auto const few = product(kernels, some, w, depth, x_parts, w_parts, orders);
                    CAPTURE(name_of(path), depth, x_parts, w_parts, first, count);
                    REQUIRE(same_bits(few.data(), all.data() + first * 64, count * 64));
                }
                if (path == instruction_set::amx) {
                    auto const same = product(emulated, x, w, depth, x_parts, w_parts, orders);
                    CHECK(same_bits(same.data(), all.data(), rows * 64));
                }
            }
        }
    }
}

/// Random values with as many bits as `parts` hold.
tensor::buffer<float, 2> values_of(index rows, index columns, int parts, std::uint64_t seed) {
    auto const drawn = random_vector<float>(rows * columns, seed);
    tensor::buffer<float, 2> all({rows, columns});
    for (index i = 0; i < all.size(); ++i) {
        float left = drawn[at(i)], sum = 0;
        for (int p = 0; p < parts; ++p) sum += static_cast<float>(backend::take_part(left));
        all.data()[i] = sum;
    }
    return all;
}

TEST_CASE("a weight in parts keeps its values, and no more parts than they have", "[backend][tiles]") {
    cpu_context const ctx{1, instruction_set::amx_emulated, float_products::bf16x6};
    for (int const parts : {1, 2, 3}) {
        index const outputs = 130, inputs = 37;
        auto const values = values_of(outputs, inputs, parts, 6);
        backend::linear_weight<float> by_rows{ctx, outputs, inputs, dtype::f32},
            by_columns{ctx, outputs, inputs, dtype::f32};
        CHECK(by_rows.most_parts() == 3);
        CHECK_FALSE(by_rows.is_bf16());
        CHECK(by_rows.memory().size() == at(3 * 3 * 19 * 64 * 4));
        by_rows.writer().outputs(64, values.view().rows(64, outputs - 64));
        by_rows.writer().outputs(0, values.view().rows(0, 64));
        tensor::buffer<float, 2> turned({inputs, outputs});
        for (index n = 0; n < outputs; ++n) {
            for (index k = 0; k < inputs; ++k) turned(k, n) = values(n, k);
        }
        by_columns.writer().inputs(20, turned.view().rows(20, inputs - 20));
        by_columns.writer().inputs(0, turned.view().rows(0, 20));
        for (index n = 0; n < outputs; ++n) {
            for (index k = 0; k < inputs; ++k) {
                REQUIRE(by_rows(n, k) == values(n, k));
                REQUIRE(by_columns(n, k) == values(n, k));
            }
        }
        for (index p = 0; p < 3; ++p) {
            CHECK(by_rows.panel_parts(p).parts == parts);
            CHECK(by_columns.panel_parts(p).parts == parts);
        }
        CHECK(same_bits(by_rows.panel_parts(2).data, by_columns.panel_parts(2).data, 19 * 64));
    }
}

/// ‖Y − exact‖ / ‖exact‖ of a layer of weights in `parts`.
double error_of(cpu_context const& ctx, int parts, dtype storage = dtype::f32) {
    index const rows = 20, outputs = 100, inputs = 300;
    auto const x = random_vector<float>(rows * inputs, 7);
    auto const w = values_of(outputs, inputs, parts, 8);
    tensor::buffer<float, 2> from({rows, inputs}), y({rows, outputs});
    std::copy(x.begin(), x.end(), from.data());
    backend::linear_weight<float> weight{ctx, outputs, inputs, storage};
    if (storage == dtype::bf16) {
        tensor::buffer<bfloat16, 2> narrow({outputs, inputs});
        for (index i = 0; i < w.size(); ++i) narrow.data()[i] = bfloat16{w.data()[i]};
        weight.writer().outputs(0, narrow);
    } else {
        weight.writer().outputs(0, w);
    }
    backend::linear<float>(ctx, from, weight, y.view());
    double off = 0, size = 0;
    for (index r = 0; r < rows; ++r) {
        for (index n = 0; n < outputs; ++n) {
            double sum = 0;
            for (index k = 0; k < inputs; ++k) sum += static_cast<double>(from(r, k)) * static_cast<double>(w(n, k));
            off += (static_cast<double>(y(r, n)) - sum) * (static_cast<double>(y(r, n)) - sum);
            size += sum * sum;
        }
    }
    return std::sqrt(off / size);
}

TEST_CASE("six products of parts are as good as those of floats, three nearly, one as bfloat16", "[backend][tiles]") {
    for (auto const path : paths()) {
        CAPTURE(name_of(path));
        double const in_float = error_of(cpu_context{1, path}, 3);
        for (int const parts : {1, 2, 3}) {
            CHECK(error_of(cpu_context{1, path, float_products::bf16x6}, parts) < 1.5 * in_float);
            CHECK(error_of(cpu_context{1, path, float_products::bf16x3}, parts) < 0x1p-15);
        }
        double const one = error_of(cpu_context{1, path, float_products::bf16}, 3);
        CHECK(one > 0x1p-12);
        CHECK(one < 0x1p-7);
        // weights of one part: the inputs' rounding is all that is left
        CHECK(error_of(cpu_context{1, path}, 1, dtype::bf16) ==
              error_of(cpu_context{1, path, float_products::bf16}, 1));
    }
}

TEST_CASE("products that a path has not are refused", "[backend][tiles][errors]") {
    CHECK_THROWS_WITH(
        (cpu_context{1, instruction_set::portable, float_products::bf16x3}),
        "products in bf16x3 are not for the instruction set portable: they take AMX, a processor with tiles; "
        "use products in fp32, or --dtype bf16");
    CHECK_THROWS_WITH(
        (cpu_context{1, instruction_set::amx_emulated, float_products::tf32}),
        "products in tf32 are not for the instruction set amx_emulated, but for a device; use products in fp32");
    cpu_context const with{1, instruction_set::amx_emulated, float_products::bf16x3},
        without{1, instruction_set::portable};
    backend::linear_weight<float> const weight{with, 3, 4, dtype::f32};
    tensor::buffer<float, 2> const x({2, 4});
    tensor::buffer<float, 2> y({2, 3});
    CHECK_THROWS_AS(backend::linear<float>(without, x, weight, y.view()), usage_error);
    if (backend::find_tiles() == backend::tiles::absent)
        CHECK_THROWS_AS(backend::instruction_set_named("amx"), usage_error);
}

}  // namespace
