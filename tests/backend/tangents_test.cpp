#include <plateau/backend/cpu.hpp>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using testing::random_buffer;

/// Every instruction set of this machine.
std::vector<backend::cpu_context> contexts() {
    std::vector<backend::cpu_context> all;
    for (auto const path : backend::possible_instruction_sets()) all.emplace_back(1, path);
    return all;
}

/// (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h, with an error of order h⁴.
std::vector<double> difference(double h, std::function<std::vector<double>(double)> const& f) {
    auto const a = f(h), b = f(-h), c = f(2 * h), d = f(-2 * h);
    std::vector<double> result;
    for (std::size_t i = 0; i < a.size(); ++i) result.push_back((8 * (a[i] - b[i]) - (c[i] - d[i])) / (12 * h));
    return result;
}

/// Largest |got − wanted| over the largest |wanted|.
template <class T>
double off(tensor::view<T const, 1> got, std::vector<double> const& wanted) {
    double worst = 0, largest = 1e-3;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(got[static_cast<index>(i)]) - wanted[i]));
        largest = std::max(largest, std::abs(wanted[i]));
    }
    return worst / largest;
}

template <class T>
constexpr double bound = std::is_same_v<T, double> ? 1e-9 : 2e-6;

TEMPLATE_TEST_CASE("tangents of norms are their differences", "[backend][tangents]", float, double) {
    for (auto const& ctx : contexts()) {
        for (index const width : {1, 7, 32, 65, 129}) {
            for (auto const kind : {norm_kind::rms, norm_kind::layer}) {
                index const heads = 2;
                auto const x = random_buffer<TestType, 2>({3, heads * width}, 1),
                           w = random_buffer<TestType, 2>({1, width}, 2);
                auto const dx = random_buffer<TestType, 2>({4, heads * width}, 3);
                std::vector<index> const rows{0, 0, 2, 2};
                std::vector<std::uint8_t> const held{0, 1, 0, 0};
                tensor::buffer<TestType, 2> dy({4, heads * width});
                backend::norm_tangents<TestType>(ctx, kind, x, heads, 0.1, w[0], {rows, held}, dx, dy);
                for (index t = 0; t < 4; ++t) {
                    CAPTURE(name_of(ctx.path()), width, t);
                    auto const wanted = difference(1e-3, [&](double h) {
                        std::vector<double> y;
                        for (index part = 0; part < heads; ++part) {
                            double square = 0, mean = 0;
                            std::vector<double> at, base;
                            for (index i = 0; i < width; ++i) {
                                index const j = part * width + i;
                                double const value = x(rows[static_cast<std::size_t>(t)], j);
                                base.push_back(value), at.push_back(value + h * dx(t, j));
                            }
                            auto const centre = [&](std::vector<double>& of) {
                                mean = 0;
                                for (double const one : of) mean += one / static_cast<double>(width);
                                for (double& one : of) one -= kind == norm_kind::layer ? mean : 0;
                            };
                            centre(at), centre(base);
                            for (double const one : held[static_cast<std::size_t>(t)] != 0 ? base : at)
                                square += one * one / static_cast<double>(width);
                            for (index i = 0; i < width; ++i)
                                y.push_back(at[static_cast<std::size_t>(i)] / std::sqrt(square + 0.1) * w(0, i));
                        }
                        return y;
                    });
                    CHECK(off<TestType>(tensor::view<TestType const, 1>{dy[t].data(), {heads * width}}, wanted) <
                          10 * bound<TestType>);
                }
            }
        }
    }
}

double act(activation kind, double x) {
    switch (kind) {
        case activation::silu: return x / (1 + std::exp(-x));
        case activation::gelu: return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
        case activation::gelu_tanh:
            return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
        case activation::relu: return std::max(x, 0.0);
    }
    return 0;
}

TEMPLATE_TEST_CASE("tangents of activations are their differences, plain and gated, gates held or not",
                   "[backend][tangents]", float, double) {
    for (auto const& ctx : contexts()) {
        for (auto const kind : {activation::silu, activation::gelu, activation::gelu_tanh, activation::relu}) {
            for (index const n : {1, 7, 32, 65, 129}) {
                auto const z = random_buffer<TestType, 2>({1, n}, 1, 3), up = random_buffer<TestType, 2>({1, n}, 2);
                auto const dz = random_buffer<TestType, 2>({2, n}, 3), dup = random_buffer<TestType, 2>({2, n}, 4);
                std::vector<index> const rows{0, 0};
                std::vector<std::uint8_t> const held{0, 1};
                for (bool const gated : {false, true}) {
                    tensor::buffer<TestType, 2> slope({1, n}), factor({1, n}), dy({2, n});
                    tensor::view<TestType const, 2> const u = gated ? up.view() : tensor::view<TestType const, 2>{};
                    tensor::view<TestType const, 2> const du = gated ? dup.view() : tensor::view<TestType const, 2>{};
                    backend::activation_slopes<TestType>(ctx, kind, z, u, slope, factor);
                    backend::activation_tangents<TestType>(ctx, slope, factor, {rows, held}, dz, du, dy);
                    for (index t = 0; t < 2; ++t) {
                        CAPTURE(name_of(ctx.path()), static_cast<int>(kind), n, gated, t);
                        auto const wanted = difference(1e-4, [&](double h) {
                            std::vector<double> y;
                            for (index i = 0; i < n; ++i) {
                                double const at = z(0, i), moved = at + h * dz(t, i);
                                double const gate = t == 1 ? act(kind, at) / at : act(kind, moved) / moved;
                                if (gated)
                                    y.push_back((t == 1 ? gate * at : gate * moved) * (up(0, i) + h * dup(t, i)));
                                else y.push_back(gate * moved);
                            }
                            return y;
                        });
                        CHECK(off<TestType>(tensor::view<TestType const, 1>{dy[t].data(), {n}}, wanted) <
                              10 * bound<TestType>);
                    }
                }
            }
        }
    }
}

TEST_CASE("kinks are PyTorch's: 0 at the corner of relu, 1 at the bound of a clip", "[backend][tangents]") {
    for (auto const& ctx : contexts()) {
        tensor::buffer<float, 2> z({1, 20}), slope({1, 20}), factor({1, 20}), x({1, 3}), dx({1, 3});
        backend::activation_slopes<float>(ctx, activation::relu, z, {}, slope, factor);
        CHECK(slope(0, 3) == 0);
        CHECK(factor(0, 3) == 0);
        backend::activation_slopes<float>(ctx, activation::silu, z, {}, slope, factor);
        CHECK(slope(0, 17) == 0.5f);
        CHECK(factor(0, 17) == 0.5f);  // the limit of act(z) / z
        std::vector<index> const rows{0};
        x(0, 0) = 2, x(0, 1) = -2.5f, x(0, 2) = 1;
        for (float& one : dx.flat()) one = 3;
        backend::clip_tangents<float>(ctx, x, 2, {rows, {}}, dx);
        CHECK(dx(0, 0) == 3);
        CHECK(dx(0, 1) == 0);
        CHECK(dx(0, 2) == 3);
        backend::cap_tangents<float>(ctx, x, 4, {rows, {}}, dx);  // of capped values
        CHECK(dx(0, 0) == 3 * 0.75f);
    }
}

/// Attention of rows of one position each, in double, with a cap and a window.
std::vector<double> attention_of(backend::attention_shape<double> const& shape, std::vector<double> const& q,
                                 std::vector<double> const& k, std::vector<double> const& v,
                                 tensor::buffer<double, 2> const& keys, tensor::buffer<double, 2> const& values) {
    index const prefix = keys.extent(0), e = shape.width;
    std::vector<double> z;
    for (index h = 0; h < shape.heads; ++h) {
        index const at = h / shape.group() * e;
        std::vector<double> p;
        double total = 0;
        for (index j = 0; j <= prefix; ++j) {
            double s = 0;
            for (index i = 0; i < e; ++i)
                s += q[static_cast<std::size_t>(h * e + i)] *
                     (j < prefix ? keys(j, at + i) : k[static_cast<std::size_t>(at + i)]);
            s *= shape.scale;
            if (shape.cap > 0) s = shape.cap * std::tanh(s / shape.cap);
            p.push_back(j < shape.first_key(prefix + 1) ? 0 : std::exp(s));
            total += p.back();
        }
        for (index i = 0; i < e; ++i) {
            double sum = 0;
            for (index j = 0; j <= prefix; ++j)
                sum += p[static_cast<std::size_t>(j)] / total *
                       (j < prefix ? values(j, at + i) : v[static_cast<std::size_t>(at + i)]);
            z.push_back(sum);
        }
    }
    return z;
}

TEMPLATE_TEST_CASE("tangents of attention are its differences, whatever the prefix", "[backend][tangents]", float,
                   double) {
    for (auto const& ctx : contexts()) {
        for (index const prefix : {0, 1, 7, 65, 129}) {
            for (index const width : {8, 20, 65}) {
                for (int const variant : {0, 1, 2}) {
                    backend::attention_shape<TestType> shape{4, 2, width, static_cast<TestType>(0.3)};
                    backend::attention_shape<double> exact{4, 2, width, static_cast<double>(shape.scale)};
                    if (variant == 1) shape.cap = 2, exact.cap = 2;
                    if (variant == 2) shape.window = 5, exact.window = 5;
                    auto const keys = random_buffer<TestType, 2>({prefix, 2 * width}, 1),
                               values = random_buffer<TestType, 2>({prefix, 2 * width}, 2);
                    auto const q = random_buffer<TestType, 2>({3, 4 * width}, 3),
                               k = random_buffer<TestType, 2>({3, 2 * width}, 4),
                               v = random_buffer<TestType, 2>({3, 2 * width}, 5);
                    std::vector<index> const rows{0, 1, 1, 1, 2};
                    auto const dq = random_buffer<TestType, 2>({5, 4 * width}, 6),
                               dk = random_buffer<TestType, 2>({5, 2 * width}, 7),
                               dv = random_buffer<TestType, 2>({5, 2 * width}, 8);
                    std::vector<backend::segment<TestType>> segments;
                    for (index t = 0; t < 5; ++t) segments.push_back({t, 1, keys, values});
                    tensor::buffer<TestType, 2> dz({5, 4 * width});
                    backend::attention_tangents<TestType>(ctx, shape, {q, k, v}, {dq, dk, dv}, {rows, {}}, segments,
                                                          dz);
                    auto const wide = [](tensor::buffer<TestType, 2> const& from) {
                        tensor::buffer<double, 2> to(from.extents());
                        std::copy(from.flat().begin(), from.flat().end(), to.data());
                        return to;
                    };
                    auto const all_keys = wide(keys), all_values = wide(values);
                    for (index t = 0; t < 5; ++t) {
                        CAPTURE(name_of(ctx.path()), prefix, width, variant, t);
                        index const row = rows[static_cast<std::size_t>(t)];
                        auto const moved =
                            [&](tensor::buffer<TestType, 2> const& x, tensor::buffer<TestType, 2> const& dx, double h) {
                            std::vector<double> to;
                            for (index i = 0; i < x.extent(1); ++i) to.push_back(x(row, i) + h * dx(t, i));
                            return to;
                        };
                        auto const wanted = difference(1e-3, [&](double h) {
                            return attention_of(exact, moved(q, dq, h), moved(k, dk, h), moved(v, dv, h), all_keys,
                                                all_values);
                        });
                        CHECK(off<TestType>(tensor::view<TestType const, 1>{dz[t].data(), {4 * width}}, wanted) <
                              10 * bound<TestType>);
                    }
                    // held patterns let the own value through alone
                    std::vector<std::uint8_t> const held{1, 1, 0, 1, 1};
                    tensor::buffer<TestType, 2> still({5, 4 * width});
                    backend::attention_tangents<TestType>(ctx, shape, {q, k, v}, {dq, dk, dv}, {rows, held}, segments,
                                                          still);
                    CHECK(testing::same_bits(still[2].data(), dz[2].data(), 4 * width));
                    auto const none = random_buffer<TestType, 2>({5, 2 * width}, 9, 0);
                    tensor::buffer<TestType, 2> values_alone({5, 4 * width});
                    auto const no_q = random_buffer<TestType, 2>({5, 4 * width}, 9, 0);
                    backend::attention_tangents<TestType>(ctx, shape, {q, k, v}, {no_q, none, dv}, {rows, {}}, segments,
                                                          values_alone);
                    for (index i = 0; i < 4 * width; ++i) CHECK(std::abs(still(0, i) - values_alone(0, i)) <= 1e-6);
                }
            }
        }
    }
}

}  // namespace
